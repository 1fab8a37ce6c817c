// The volumes of the page: base64 of gzip of bytes, x running fastest.
async function unpack(id) {
  const element = byId(id);
  if (!element) return null;
  const text = atob(element.textContent);
  const packed = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
