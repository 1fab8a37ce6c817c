// What is shown, and what a voxel means. Levels count the knots that a score lies above.
const BRAIN = 1;
const TRUTH = 2;
const FACTS = JSON.parse(byId("facts").textContent);
const KNOTS = FACTS.edges.slice(1, -1);

const state = {
  place: [...FACTS.place], // voxel of the crosshair
  threshold: FACTS.asked ?? 0, // voxels are shown whose level is above it
  opacity: 0.7,
  overlay: true,
  truth: true,
  cross: true,
  colours: "inferno",
  image: null,
  levels: null,
  parts: null,
  marks: null,
  counts: null, // voxels of the brain at each level
};

async function load() {
  const names = ["image", "levels", "parts", "marks"];
  const volumes = await Promise.all(names.map(unpack));
  names.forEach((name, at) => {
    state[name] = volumes[at];
  });
  state.counts = new Uint32Array(256);
  state.levels.forEach((level, at) => {
    if (state.marks[at] & BRAIN) state.counts[level] += 1;
  });
}

const indexOf = ([x, y, z]) => x + FACTS.shape[0] * (y + FACTS.shape[1] * z);

const apply = (matrix, [x, y, z]) =>
  matrix.slice(0, 3).map((row) => row[0] * x + row[1] * y + row[2] * z + row[3]);

const toMm = (voxel) => apply(FACTS.affine, voxel);

function toVoxel(mm) {
  const last = FACTS.shape.map((size) => size - 1);
  const found = apply(FACTS.inverse, mm);
  return found.map((value, axis) => Math.min(last[axis], Math.max(0, Math.round(value))));
}

// Four digits that tell, whatever the unit of the backend is.
const figure = (value) => String(Number(value.toPrecision(4))).replace("-", "−");

const percent = (rate) => `${Number((100 * rate).toPrecision(2))} %`;

function scoreAt(at) {
  const level = state.levels[at];
  const [low, high] = [FACTS.edges[level], FACTS.edges[level + 1]];
  const part = state.parts ? (state.parts[at] + 0.5) / 256 : 0.5;
  return (state.parts ? "" : "≈ ") + figure(low + part * (high - low));
}

// The share of healthy voxels that are stranger than this one.
function rateAt(at) {
  const level = state.levels[at];
  const rates = FACTS.rates;
  if (!rates.length) return "not calibrated";
  if (level === 0) return `over ${percent(rates[0])}`;
  const within = Math.min(level, rates.length);
  return `${level > rates.length ? "under" : "≤"} ${percent(rates[within - 1])}`;
}

function greyAt(at) {
  const [low, high] = FACTS.window;
  const value = state.image[at];
  const sign = value === 0 && low > 0 ? "≤ " : value === 255 ? "≥ " : "≈ ";
  return sign + figure(low + (value / 255) * (high - low));
}

function millilitresAbove(threshold) {
  let voxels = 0;
  for (let level = threshold + 1; level < 256; level += 1) voxels += state.counts[level];
  return voxels * FACTS.millilitres;
}

// Where in a colour map of 256 a level lies, the same in every page of a model.
const colourOf = (level) => Math.min(255, Math.floor((level * 255) / KNOTS.length));
