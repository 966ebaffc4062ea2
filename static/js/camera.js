// @ts-check
/** The browser's camera: asking for it, choosing one, remembering it, and noticing when it goes. */

const REMEMBERED_DEVICE = "faceweb.camera";

/** What went wrong, as `texts.js` names it. */
export const CAMERA_ERRORS = /** @type {const} */ ([
  "insecure",
  "unsupported",
  "denied",
  "not_found",
  "in_use",
  "no_such_mode",
  "ended",
  "failed",
]);

/** @typedef {typeof CAMERA_ERRORS[number]} CameraErrorCode */

/** @type {Record<string, CameraErrorCode>} names of DOMException to codes of ours */
const CODE_OF_NAME = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "not_found",
  NotReadableError: "in_use",
  AbortError: "in_use",
  OverconstrainedError: "no_such_mode",
};

/** A camera that cannot be had, with a code that `texts.js` explains. */
export class CameraError extends Error {
  /**
   * @param {CameraErrorCode} code
   * @param {unknown} [cause]
   */
  constructor(code, cause) {
    super(code, { cause });
    this.code = code;
  }
}

/** @returns {CameraErrorCode | null} why this page cannot have any camera, known without asking */
export function cameraObstacle() {
  if (!window.isSecureContext) return "insecure";
  return "mediaDevices" in navigator ? null : "unsupported";
}

/**
 * The camera that was chosen last on this browser; null where storage is closed to the page.
 *
 * @returns {string | null}
 */
export function rememberedDevice() {
  try {
    return localStorage.getItem(REMEMBERED_DEVICE);
  } catch {
    return null;
  }
}

/** @param {string} deviceId */
export function rememberDevice(deviceId) {
  try {
    localStorage.setItem(REMEMBERED_DEVICE, deviceId);
  } catch {
    // A browser that keeps nothing asks for the camera again next time; nothing else is lost.
  }
}

/**
 * Cameras of this machine; their labels are empty until the permission is given.
 *
 * @returns {Promise<MediaDeviceInfo[]>}
 */
export async function listCameras() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.filter((device) => device.kind === "videoinput" && device.deviceId !== "");
}

/**
 * @param {string | null} deviceId
 * @returns {Promise<MediaStream>}
 */
function ask(deviceId) {
  return navigator.mediaDevices.getUserMedia({
    audio: false,
    video: {
      ...(deviceId ? { deviceId: { exact: deviceId } } : {}),
      width: { ideal: 1280 },
      height: { ideal: 720 },
      frameRate: { ideal: 30 },
    },
  });
}

/**
 * Asks for a camera; one that is gone since it was remembered is replaced by the default one.
 *
 * @param {string | null} deviceId
 * @returns {Promise<MediaStream>}
 */
async function openStream(deviceId) {
  try {
    return await ask(deviceId);
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    if (deviceId && (name === "OverconstrainedError" || name === "NotFoundError")) return openStream(null);
    throw new CameraError(CODE_OF_NAME[name] ?? "failed", error);
  }
}

/** One open camera, shown in a video element. */
export class Camera {
  /** @type {MediaStream | null} */
  #stream = null;
  #video;
  #onEnded;

  /**
   * @param {HTMLVideoElement} video
   * @param {() => void} onEnded the device was unplugged or the permission taken back
   */
  constructor(video, onEnded) {
    this.#video = video;
    this.#onEnded = onEnded;
  }

  /** @returns {string} id of the open device, empty when none is open */
  get deviceId() {
    return this.#track()?.getSettings().deviceId ?? "";
  }

  /** @returns {boolean} whether this camera looks away from the user, so that no mirror is wanted */
  get facesAway() {
    return this.#track()?.getSettings().facingMode === "environment";
  }

  /**
   * Opens a camera in place of the one that is open.
   *
   * @param {string | null} deviceId
   */
  async open(deviceId) {
    const obstacle = cameraObstacle();
    if (obstacle) throw new CameraError(obstacle);
    // Many devices cannot be opened twice, and some phones only one camera at a time.
    this.close();
    const stream = await openStream(deviceId);
    this.#stream = stream;
    this.#track()?.addEventListener("ended", () => {
      if (this.#stream === stream) this.#onEnded();
    });
    this.#video.srcObject = stream;
    try {
      await this.#video.play();
    } catch (error) {
      // Closing while the video starts interrupts it; that is no fault of the camera.
      if (this.#stream === stream) throw new CameraError("failed", error);
    }
  }

  close() {
    const stream = this.#stream;
    this.#stream = null;
    stream?.getTracks().forEach((track) => track.stop());
    this.#video.srcObject = null;
  }

  #track() {
    return this.#stream?.getVideoTracks()[0];
  }
}
