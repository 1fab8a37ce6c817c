"use strict";

const byId = (id) => document.getElementById(id);
const THEMES = ["auto", "dark", "light"];

// As the system is, until the button says otherwise; remembered where the browser lets us.
function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  byId("theme").textContent = `Theme: ${theme}`;
  try {
    localStorage.setItem("slicenet-theme", theme);
  } catch {
    // A page from a disk may be forbidden to remember.
  }
}

function rememberedTheme() {
  try {
    const theme = localStorage.getItem("slicenet-theme");
    return THEMES.includes(theme) ? theme : "auto";
  } catch {
    return "auto";
  }
}

setTheme(rememberedTheme());
byId("theme").addEventListener("click", () => {
  const now = THEMES.indexOf(document.documentElement.dataset.theme);
  setTheme(THEMES[(now + 1) % THEMES.length]);
});
