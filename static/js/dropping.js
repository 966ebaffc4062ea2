// @ts-check
/** Places of the admin where files are dropped. */

/**
 * Takes files that are dropped on an area, which shows that it would.
 *
 * @param {HTMLElement} area
 * @param {HTMLElement} hint that files can be dropped, hidden without this script
 * @param {(files: readonly File[]) => void} take
 */
export function takeDrops(area, hint, take) {
  hint.hidden = false;
  area.addEventListener("dragover", (event) => {
    event.preventDefault();
    area.classList.add("is-over");
  });
  area.addEventListener("dragleave", () => area.classList.remove("is-over"));
  area.addEventListener("drop", (event) => {
    event.preventDefault();
    area.classList.remove("is-over");
    take([...(event.dataTransfer?.files ?? [])]);
  });
}
