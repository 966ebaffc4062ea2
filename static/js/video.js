// @ts-check
/** The page of a video: a time in the timeline plays the film from there. */

const film = document.getElementById("film");

for (const time of document.querySelectorAll("button[data-at]")) {
  if (!(film instanceof HTMLVideoElement) || !(time instanceof HTMLButtonElement)) continue;
  time.disabled = false;
  time.addEventListener("click", () => {
    film.currentTime = Number(time.dataset.at);
    film.scrollIntoView({ block: "nearest" });
    // Refused where the browser does not let a page play by itself; then the player's own button does it.
    film.play().catch(() => film.focus());
  });
}
