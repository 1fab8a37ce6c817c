let planes = [];
let asked = false;

// Once a frame, however often something moved since.
function redraw() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    planes.forEach(draw);
    readOut("at", state.place);
  });
}

function watchPanel() {
  byId("threshold").addEventListener("input", (event) =>
    setThreshold(Number(event.target.value)));
  byId("opacity").addEventListener("input", (event) =>
    setOpacity(Number(event.target.value) / 100));
  for (const name of ["overlay", "truth", "cross"]) {
    byId(name)?.addEventListener("change", (event) => {
      state[name] = event.target.checked;
      redraw();
    });
  }
  byId("colours").addEventListener("change", (event) => {
    state.colours = event.target.value;
    drawBar();
    redraw();
  });
  byId("strangest").addEventListener("click", () => moveTo([...FACTS.place]));
  byId("reset").disabled = FACTS.asked === null;
  byId("reset").addEventListener("click", () => setThreshold(FACTS.asked));
  document.addEventListener("keydown", pressedAnywhere);
}

function watchLists() {
  for (const row of pieces) {
    row.addEventListener("click", (event) => {
      const own = event.target.closest("[data-mm]");
      showPiece(row, own ?? row);
    });
  }
  for (const tile of document.querySelectorAll("[data-voxel]")) {
    tile.addEventListener("click", () => {
      moveTo(tile.dataset.voxel.split(",").map(Number));
      byId("viewer").scrollIntoView({ block: "nearest" });
    });
  }
}

async function start() {
  await load();
  planes = Object.keys(PLANES).map(makePlane).filter(Boolean);
  planes.forEach(watchPlane);
  watchPanel();
  watchLists();
  setOpacity(state.opacity);
  setThreshold(state.threshold);
  const sizes = new ResizeObserver(redraw);
  planes.forEach((plane) => sizes.observe(plane.canvas));
  planes[0].canvas.focus({ preventScroll: true });
  document.documentElement.dataset.ready = "yes";
}

start().catch((error) => {
  const told = document.createElement("p");
  told.className = "broken";
  told.textContent = `This browser cannot show the volumes: ${error}`;
  byId("viewer").prepend(told);
});
