// @ts-check
/** The camera chooser and the mirror switch, both remembered by this browser. */

import { listCameras } from "./camera.js";
import { gettext, interpolate } from "./i18n.js";

/** The select element that lists the cameras. */
export class CameraChooser {
  #select;

  /**
   * @param {HTMLSelectElement} select
   * @param {(deviceId: string) => void} onChoice
   */
  constructor(select, onChoice) {
    this.#select = select;
    select.addEventListener("change", () => onChoice(select.value));
  }

  /**
   * Lists the cameras anew, keeping the choice where it still exists.
   *
   * @param {string} openDeviceId the camera in use, empty when none is
   */
  async refresh(openDeviceId) {
    const cameras = await listCameras();
    const options = cameras.map((camera, index) => {
      // Browsers hide the names until the camera is allowed.
      const label = camera.label || interpolate(gettext("Camera %(number)s"), { number: index + 1 });
      return new Option(label, camera.deviceId);
    });
    if (options.length === 0) options.push(new Option(gettext("Default camera"), ""));
    const chosen = openDeviceId || this.#select.value;
    this.#select.replaceChildren(...options);
    if (cameras.some((camera) => camera.deviceId === chosen)) this.#select.value = chosen;
    this.#select.disabled = options.length < 2;
  }
}

const REMEMBERED_MIRROR = "faceweb.mirror";

/** Whether the picture is shown as in a mirror: by the camera's kind, until somebody chooses. */
export class MirrorSwitch {
  #input;
  #onChange;

  /**
   * @param {HTMLInputElement} input
   * @param {(mirrored: boolean) => void} onChange
   */
  constructor(input, onChange) {
    this.#input = input;
    this.#onChange = onChange;
    input.addEventListener("change", () => {
      this.#remember(input.checked);
      onChange(input.checked);
    });
    this.#set(this.#remembered() ?? true);
  }

  /** @param {boolean} facesAway a camera that looks away from its user needs no mirror */
  suggest(facesAway) {
    this.#set(this.#remembered() ?? !facesAway);
  }

  /** @param {boolean} mirrored */
  #set(mirrored) {
    this.#input.checked = mirrored;
    this.#onChange(mirrored);
  }

  /** @returns {boolean | null} null where nothing was chosen or storage is closed to the page */
  #remembered() {
    try {
      const value = localStorage.getItem(REMEMBERED_MIRROR);
      return value === null ? null : value === "yes";
    } catch {
      return null;
    }
  }

  /** @param {boolean} mirrored */
  #remember(mirrored) {
    try {
      localStorage.setItem(REMEMBERED_MIRROR, mirrored ? "yes" : "no");
    } catch {
      // A browser that keeps nothing goes by the camera's kind next time.
    }
  }
}
