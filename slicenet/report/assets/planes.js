// One canvas a plane. Across the screen runs -x, or -y in the sagittal plane: seen from the feet
// and from the front, the patient's left is on the right.
const PLANES = {
  axial: { across: 0, up: 1, through: 2, letters: "RLAP" },
  coronal: { across: 0, up: 2, through: 1, letters: "RLSI" },
  sagittal: { across: 1, up: 2, through: 0, letters: "APSI" },
};
const OUTLINE = "#36c5f0"; // far from every colour of the maps
const CROSS = "#7dd87d";

function makePlane(name) {
  const figure = byId(name);
  if (!figure) return null;
  const { across, up, through, letters } = PLANES[name];
  const [width, height] = [FACTS.shape[across], FACTS.shape[up]];
  const plane = {
    name, across, up, through, letters, width, height,
    canvas: figure.querySelector("canvas"),
    slider: figure.querySelector("input"),
    told: figure.querySelector("output"),
    under: new OffscreenCanvas(width, height),
    over: new OffscreenCanvas(width, height),
  };
  const [wide, tall] = [width * FACTS.spacing[across], height * FACTS.spacing[up]];
  figure.style.flexGrow = wide; // so that all planes have one scale
  plane.canvas.style.aspectRatio = `${wide} / ${tall}`;
  plane.slider.max = FACTS.shape[through] - 1;
  return plane;
}

// The voxel of a column and a row of the picture, both from the top left.
function voxelOf(plane, column, row) {
  const voxel = [...state.place];
  voxel[plane.across] = plane.width - 1 - column;
  voxel[plane.up] = plane.height - 1 - row;
  return voxel;
}

function voxelUnder(plane, event) {
  const box = plane.canvas.getBoundingClientRect();
  const column = Math.floor(((event.clientX - box.left) / box.width) * plane.width);
  const row = Math.floor(((event.clientY - box.top) / box.height) * plane.height);
  const inside = column >= 0 && row >= 0 && column < plane.width && row < plane.height;
  return inside ? voxelOf(plane, column, row) : null;
}

const STRIDES = [1, FACTS.shape[0], FACTS.shape[0] * FACTS.shape[1]];

function eachVoxel(plane, visit) {
  const first = indexOf(voxelOf(plane, 0, 0));
  for (let row = 0; row < plane.height; row += 1) {
    for (let column = 0; column < plane.width; column += 1) {
      const at = first - column * STRIDES[plane.across] - row * STRIDES[plane.up];
      visit(at, row * plane.width + column, column, row);
    }
  }
}

// Fill a canvas of voxels with words of four bytes: alpha, blue, green, red.
function paint(canvas, plane, wordOf) {
  const context = canvas.getContext("2d");
  const picture = context.createImageData(plane.width, plane.height);
  const words = new Uint32Array(picture.data.buffer);
  eachVoxel(plane, (at, pixel) => {
    words[pixel] = wordOf(at);
  });
  context.putImageData(picture, 0, 0);
}

function paintImage(plane) {
  const lone = (at) => (state.marks[at] & BRAIN ? 60 : 0);
  const greyOf = state.image ? (at) => state.image[at] : lone;
  paint(plane.under, plane, (at) => (0xff000000 | (greyOf(at) * 0x010101)) >>> 0);
}

function paintMap(plane) {
  const colours = FACTS.colours[state.colours];
  const alpha = Math.round(255 * state.opacity);
  const words = Array.from({ length: 256 }, (_, level) => {
    const [red, green, blue] = colours.slice(3 * colourOf(level), 3 * colourOf(level) + 3);
    return level > state.threshold ? ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0 : 0;
  });
  paint(plane.over, plane, (at) => (state.marks[at] & BRAIN ? words[state.levels[at]] : 0));
}

function draw(plane) {
  const { canvas } = plane;
  const box = canvas.getBoundingClientRect();
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(box.width * ratio));
  canvas.height = Math.max(1, Math.round(box.height * ratio));
  const context = canvas.getContext("2d");
  paintImage(plane);
  context.imageSmoothingQuality = "high";
  context.drawImage(plane.under, 0, 0, canvas.width, canvas.height);
  if (state.overlay) {
    paintMap(plane);
    // A threshold has edges: what lies above it is not smoothed away.
    context.imageSmoothingEnabled = false;
    context.drawImage(plane.over, 0, 0, canvas.width, canvas.height);
  }
  const scale = [canvas.width / plane.width, canvas.height / plane.height];
  if (state.truth && FACTS.truth) outline(plane, context, scale, ratio);
  if (state.cross) crosshair(plane, context, scale, ratio);
  letters(plane, context, ratio);
  tell(plane);
}

// Along the edges of the voxels that the truth marks.
function outline(plane, context, [wide, tall], ratio) {
  const marked = (column, row) => {
    if (column < 0 || row < 0 || column >= plane.width || row >= plane.height) return false;
    return Boolean(state.marks[indexOf(voxelOf(plane, column, row))] & TRUTH);
  };
  context.beginPath();
  eachVoxel(plane, (at, pixel, column, row) => {
    const here = Boolean(state.marks[at] & TRUTH);
    if (here !== marked(column - 1, row)) {
      context.moveTo(column * wide, row * tall);
      context.lineTo(column * wide, (row + 1) * tall);
    }
    if (here !== marked(column, row - 1)) {
      context.moveTo(column * wide, row * tall);
      context.lineTo((column + 1) * wide, row * tall);
    }
  });
  context.strokeStyle = OUTLINE;
  context.lineWidth = 1.5 * ratio;
  context.stroke();
}

function crosshair(plane, context, [wide, tall], ratio) {
  const x = (plane.width - 0.5 - state.place[plane.across]) * wide;
  const y = (plane.height - 0.5 - state.place[plane.up]) * tall;
  const gap = 9 * ratio; // what is looked at is not hidden by what points at it
  const { width, height } = plane.canvas;
  context.beginPath();
  for (const [fromX, fromY, toX, toY] of [
    [0, y, x - gap, y], [x + gap, y, width, y], [x, 0, x, y - gap], [x, y + gap, x, height],
  ]) {
    context.moveTo(fromX, fromY);
    context.lineTo(toX, toY);
  }
  context.strokeStyle = CROSS;
  context.globalAlpha = 0.75;
  context.lineWidth = ratio;
  context.stroke();
  context.globalAlpha = 1;
}

function letters(plane, context, ratio) {
  const { width, height } = plane.canvas;
  const [left, right, top, bottom] = plane.letters;
  const room = 10 * ratio;
  context.font = `600 ${13 * ratio}px system-ui, sans-serif`;
  context.fillStyle = "#f4f4f4";
  context.strokeStyle = "#000";
  context.lineWidth = 3 * ratio;
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (const [letter, x, y] of [
    [left, room, height / 2], [right, width - room, height / 2],
    [top, width / 2, room], [bottom, width / 2, height - room],
  ]) {
    context.strokeText(letter, x, y);
    context.fillText(letter, x, y);
  }
}

function tell(plane) {
  const index = state.place[plane.through];
  const mm = toMm(state.place)[plane.through];
  plane.slider.value = index;
  plane.told.textContent = `${"xyz"[plane.through]} ${figure(Math.round(10 * mm) / 10)} mm`;
}
