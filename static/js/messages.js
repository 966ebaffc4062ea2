// @ts-check
/**
 * The live protocol, the page's side of `recognition/live/messages.py`; a test compares the two.
 *
 * `PROTOCOL` is plain JSON between two markers, so that the test can read it without running it.
 * It is also what `parseServerMessage` checks incoming messages against.
 */

/** Every number and every field that both sides must agree on. */
export const PROTOCOL = /* contract begins */ {
  "version": 1,
  "max_window": 3,
  "frame_header": "<IdI",
  "close_codes": {
    "NOT_AUTHENTICATED": 4401,
    "NOT_PERMITTED": 4403,
    "FOREIGN_ORIGIN": 4404,
    "NOT_PAIRED": 4405,
    "NO_SUCH_CHECKPOINT": 4406,
    "HELLO_TIMEOUT": 4408,
    "OPENED_ELSEWHERE": 4409,
    "UNSUPPORTED_PROTOCOL": 4410,
    "FRAME_TOO_LARGE": 4413,
    "MALFORMED": 4415,
    "TOO_FAST": 4429,
    "SERVER_ERROR": 4500,
    "OVERLOADED": 4503,
    "DATABASE_UNAVAILABLE": 4504,
    "SERVER_STOPPED": 4512
  },
  "error_codes": {
    "NOT_AUTHENTICATED": "not_authenticated",
    "NOT_PERMITTED": "not_permitted",
    "FOREIGN_ORIGIN": "foreign_origin",
    "NOT_PAIRED": "not_paired",
    "NO_SUCH_CHECKPOINT": "no_such_checkpoint",
    "HELLO_TIMEOUT": "hello_timeout",
    "OPENED_ELSEWHERE": "opened_elsewhere",
    "UNSUPPORTED_PROTOCOL": "unsupported_protocol",
    "FRAME_TOO_LARGE": "frame_too_large",
    "MALFORMED": "malformed",
    "TOO_FAST": "too_fast",
    "SERVER_ERROR": "server_error",
    "OVERLOADED": "overloaded",
    "DATABASE_UNAVAILABLE": "database_unavailable",
    "SERVER_STOPPED": "server_stopped"
  },
  "notice_codes": {
    "READY": "ready",
    "GALLERY_EMPTY": "gallery_empty",
    "NEEDS_REEMBEDDING": "needs_reembedding",
    "PACK_WITHOUT_THRESHOLDS": "pack_without_thresholds",
    "WORKER_UNAVAILABLE": "worker_unavailable",
    "DATABASE_UNAVAILABLE": "database_unavailable"
  },
  "face_states": ["deciding", "known", "unknown"],
  "advice": [
    "", "no_face", "face_too_small", "low_sharpness", "too_dark", "too_bright", "extreme_pose", "face_clipped",
    "low_detection_score"
  ],
  "shapes": {
    "Hello": { "type": "'hello'", "protocol": "number" },
    "Welcome": {
      "type": "'welcome'", "protocol": "number", "window": "number", "max_frame_bytes": "number",
      "policy_version": "number", "pack": "string", "votes_needed": "number", "votes_of": "number"
    },
    "Box": { "x": "number", "y": "number", "width": "number", "height": "number" },
    "Person": { "id": "number", "name": "string" },
    "Face": {
      "track": "string", "box": "Box", "state": "FaceState", "person": "Person | null",
      "similarity": "number | null", "votes": "number", "advice": "Advice"
    },
    "Timings": {
      "waited": "number", "decode": "number", "detect": "number", "embed": "number", "search": "number",
      "worker": "number", "server": "number"
    },
    "Result": {
      "type": "'result'", "sequence": "number", "status": "'analysed' | 'dropped' | 'failed'", "faces": "Face[]",
      "embedded": "number", "everywhere": "boolean", "timings": "Timings", "window": "number", "dropped": "number"
    },
    "Decision": {
      "type": "'decision'", "track": "string", "event": "number", "time": "string", "decision": "string",
      "person": "Person | null", "similarity": "number | null", "margin": "number | null"
    },
    "Notice": { "type": "'notice'", "code": "string", "people": "number" },
    "Alert": { "type": "'alert'", "open": "number", "event": "number", "place": "string", "time": "string" },
    "Error": { "type": "'error'", "code": "string" }
  },
  "server_messages": ["Welcome", "Result", "Decision", "Notice", "Alert", "Error"]
} /* contract ends */;

/** @typedef {"deciding" | "known" | "unknown"} FaceState */

/**
 * @typedef {"" | "no_face" | "face_too_small" | "low_sharpness" | "too_dark" | "too_bright" | "extreme_pose"
 *   | "face_clipped" | "low_detection_score"} Advice
 */

/**
 * Page to server, first message.
 * @typedef {object} Hello
 * @property {'hello'} type
 * @property {number} protocol
 */

/**
 * Server to page, once: what holds for this session.
 * @typedef {object} Welcome
 * @property {'welcome'} type
 * @property {number} protocol
 * @property {number} window
 * @property {number} max_frame_bytes
 * @property {number} policy_version
 * @property {string} pack
 * @property {number} votes_needed
 * @property {number} votes_of
 */

/**
 * A face box in pixels of the frame that was sent, left upper corner first.
 * @typedef {object} Box
 * @property {number} x
 * @property {number} y
 * @property {number} width
 * @property {number} height
 */

/**
 * Whom a face was recognised as, or is most like.
 * @typedef {object} Person
 * @property {number} id
 * @property {string} name
 */

/**
 * One tracked face of a frame; `person` is set for a known face only.
 * @typedef {object} Face
 * @property {string} track
 * @property {Box} box
 * @property {FaceState} state
 * @property {Person | null} person
 * @property {number | null} similarity
 * @property {number} votes
 * @property {Advice} advice
 */

/**
 * Milliseconds that the frame spent in each step; `server` is all of its time at the server.
 * @typedef {object} Timings
 * @property {number} waited
 * @property {number} decode
 * @property {number} detect
 * @property {number} embed
 * @property {number} search
 * @property {number} worker
 * @property {number} server
 */

/**
 * Server to page, one for every frame sent.
 * @typedef {object} Result
 * @property {'result'} type
 * @property {number} sequence
 * @property {'analysed' | 'dropped' | 'failed'} status
 * @property {Face[]} faces
 * @property {number} embedded
 * @property {boolean} everywhere
 * @property {Timings} timings
 * @property {number} window
 * @property {number} dropped
 */

/**
 * Server to page, when a track's decision is final and its event is stored.
 * @typedef {object} Decision
 * @property {'decision'} type
 * @property {string} track
 * @property {number} event
 * @property {string} time
 * @property {string} decision
 * @property {Person | null} person
 * @property {number | null} similarity
 * @property {number | null} margin
 */

/**
 * Server to page, whenever the state of the installation changes.
 * @typedef {object} Notice
 * @property {'notice'} type
 * @property {string} code
 * @property {number} people
 */

/**
 * Server to page, when somebody of the deny list was met, and when the last such alert was dealt with.
 * @typedef {object} Alert
 * @property {'alert'} type
 * @property {number} open
 * @property {number} event
 * @property {string} place
 * @property {string} time
 */

/**
 * Server to page, right before the server closes with the code of the same name.
 * @typedef {object} Error
 * @property {'error'} type
 * @property {string} code
 */

/** @typedef {Welcome | Result | Decision | Notice | Alert | Error} ServerMessage */
