// @ts-check
/** Forms whose files take minutes to be sent. */

/**
 * @typedef {object} Answer
 * @property {string} [location] where to go on
 * @property {string[]} [errors] why it was refused
 */

/**
 * Sends a form to the address of its page.
 *
 * @param {FormData} data
 * @param {(share: number) => void} onProgress how much has been sent, 0..1
 * @returns {Promise<Answer | null>} null where the server said nothing that can be understood, or cannot be reached
 */
export function sent(data, onProgress) {
  return new Promise((resolve) => {
    // Not fetch(): it does not tell how much has been sent.
    const request = new XMLHttpRequest();
    request.upload.addEventListener("progress", ({ loaded, total }) => onProgress(loaded / total));
    request.responseType = "json";
    request.addEventListener("error", () => resolve(null));
    request.addEventListener("load", () => resolve(request.response));
    request.open("POST", location.href);
    request.setRequestHeader("Accept", "application/json");
    request.send(data);
  });
}
