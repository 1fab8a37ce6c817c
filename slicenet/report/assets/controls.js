// Everything a hand can move: pointer, wheel, keys, sliders, rows and slices.
const STEP = { opacity: 0.1, threshold: 4 };

function moveTo(voxel) {
  state.place = voxel.map((index, axis) =>
    Math.min(FACTS.shape[axis] - 1, Math.max(0, index)));
  redraw();
}

function moveBy(axis, steps) {
  const voxel = [...state.place];
  voxel[axis] += steps;
  moveTo(voxel);
}

function watchPlane(plane) {
  const { canvas, slider } = plane;
  canvas.addEventListener("pointerdown", (event) => {
    const voxel = voxelUnder(plane, event);
    canvas.focus({ preventScroll: true });
    if (voxel) moveTo(voxel);
  });
  canvas.addEventListener("pointermove", (event) => {
    const voxel = voxelUnder(plane, event);
    if (voxel && event.buttons === 1) moveTo(voxel);
    readOut("over", voxel);
  });
  canvas.addEventListener("pointerleave", () => readOut("over", null));
  canvas.addEventListener("wheel", (event) => {
    if (!event.deltaY || event.ctrlKey) return; // with Ctrl the browser zooms
    event.preventDefault();
    moveBy(plane.through, event.deltaY > 0 ? -1 : 1);
    readOut("over", voxelUnder(plane, event));
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => pressedOn(plane, event));
  slider.addEventListener("input", () => {
    const voxel = [...state.place];
    voxel[plane.through] = Number(slider.value);
    moveTo(voxel);
  });
}

function pressedOn(plane, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const far = event.shiftKey ? 10 : 1;
  const moves = {
    ArrowLeft: [plane.across, far], ArrowRight: [plane.across, -far],
    ArrowUp: [plane.up, far], ArrowDown: [plane.up, -far],
    PageUp: [plane.through, far], PageDown: [plane.through, -far],
    "]": [plane.through, 1], "[": [plane.through, -1],
  };
  const move = moves[event.key];
  if (!move) return;
  event.preventDefault();
  moveBy(...move);
}

function pressedAnywhere(event) {
  const busy = event.target.matches("select, input:not([type=range]):not([type=checkbox])");
  if (busy || event.ctrlKey || event.metaKey || event.altKey) return;
  const actions = {
    o: () => toggle("overlay"), t: () => toggle("truth"), x: () => toggle("cross"),
    "+": () => setOpacity(state.opacity + STEP.opacity),
    "=": () => setOpacity(state.opacity + STEP.opacity),
    "-": () => setOpacity(state.opacity - STEP.opacity),
    ">": () => setThreshold(state.threshold + STEP.threshold),
    "<": () => setThreshold(state.threshold - STEP.threshold),
    n: () => nextPiece(1), p: () => nextPiece(-1),
  };
  actions[event.key]?.();
}

function toggle(name) {
  const box = byId(name);
  if (!box) return;
  box.checked = state[name] = !state[name];
  redraw();
}

function setOpacity(value) {
  state.opacity = Math.min(1, Math.max(0, Math.round(100 * value) / 100));
  byId("opacity").value = 100 * state.opacity;
  byId("opacity-told").textContent = `${Math.round(100 * state.opacity)} %`;
  redraw();
}

function setThreshold(value) {
  state.threshold = Math.min(FACTS.thresholds - 1, Math.max(0, value));
  byId("threshold").value = state.threshold;
  const rate = FACTS.rates[state.threshold];
  const told = [
    ...(rate === undefined ? [] : [`${percent(rate)} of healthy`]),
    `score > ${figure(KNOTS[state.threshold])}`,
    `${figure(millilitresAbove(state.threshold))} ml above`,
    ...(state.threshold === FACTS.asked ? ["as the mask"] : []),
  ];
  byId("threshold-told").textContent = told.join(" · ");
  byId("threshold").setAttribute("aria-valuetext", told.join(", "));
  drawBar();
  redraw();
}

// The colours of what is shown; below the threshold there are none.
function drawBar() {
  const context = byId("bar").getContext("2d");
  const colours = FACTS.colours[state.colours];
  const picture = context.createImageData(255, 1);
  for (let column = 0; column < 255; column += 1) {
    const shown = column > colourOf(state.threshold);
    const colour = shown ? colours.slice(3 * column, 3 * column + 3) : [70, 70, 70];
    picture.data.set([...colour, 255], 4 * column);
  }
  context.putImageData(picture, 0, 0);
  const rate = FACTS.rates[0];
  byId("bar-low").textContent =
    rate === undefined ? `score ${figure(KNOTS[0])}` : `${percent(rate)} of healthy voxels`;
  byId("bar-high").textContent = `score ${figure(KNOTS.at(-1))} and more`;
}

function readOut(who, voxel) {
  const write = (what, text) => {
    byId(`${who}-${what}`).textContent = voxel ? text() : "";
  };
  const at = voxel ? indexOf(voxel) : 0;
  const inside = state.marks[at] & BRAIN;
  write("mm", () => toMm(voxel).map((mm) => mm.toFixed(1).replace("-", "−")).join("  "));
  write("score", () => (inside ? scoreAt(at) : "outside"));
  write("rate", () => (inside ? rateAt(at) : "–"));
  write("grey", () => (state.image ? greyAt(at) : "–"));
}

const pieces = [...document.querySelectorAll("tr[data-mm]")];

function showPiece(row, place) {
  pieces.forEach((other) => other.classList.toggle("chosen", other === row));
  moveTo(toVoxel(place.dataset.mm.split(",").map(Number)));
  byId("viewer").scrollIntoView({ block: "nearest" });
}

function nextPiece(steps) {
  if (!pieces.length) return;
  const now = pieces.findIndex((row) => row.classList.contains("chosen"));
  const first = now < 0 && steps < 0 ? 0 : now;
  const row = pieces[(first + steps + pieces.length) % pieces.length];
  showPiece(row, row);
}
