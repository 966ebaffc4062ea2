// @ts-check
/**
 * The checkpoint protocol, the page's side of `recognition/live/checkpoint_messages.py`; a test compares the two.
 *
 * Hello, frames and close codes are those of `../messages.js`.
 */

/** Every number and every field that both sides must agree on. */
export const PROTOCOL = /* contract begins */ {
  "version": 1,
  "max_id_characters": 100,
  "max_pin_characters": 32,
  "notice_codes": {
    "READY": "ready",
    "OUT_OF_USE": "out_of_use",
    "PACK_WITHOUT_THRESHOLDS": "pack_without_thresholds",
    "NEEDS_REEMBEDDING": "needs_reembedding",
    "GALLERY_EMPTY": "gallery_empty",
    "WORKER_UNAVAILABLE": "worker_unavailable",
    "DATABASE_UNAVAILABLE": "database_unavailable"
  },
  "closed_sets": {
    "Mode": ["identify", "verify", "both"],
    "Phase": ["ready", "claim", "looking", "result"],
    "Instruction": [
      "", "stand_in_front", "come_closer", "look_at_camera", "one_person_only", "more_light", "less_light",
      "hold_still", "move_into_picture", "keep_looking", "step_away"
    ],
    "Outcome": ["accepted", "refused", "undecided", "locked_out", "error"],
    "Sentence": [
      "welcome", "not_recognised", "not_confirmed", "not_allowed", "not_seen_well", "several_people",
      "time_up", "locked_out", "error"
    ]
  },
  "shapes": {
    "Claim": { "type": "'claim'", "external_id": "string", "pin": "string" },
    "EnterId": { "type": "'enter_id'" },
    "Cancel": { "type": "'cancel'" },
    "Welcome": {
      "type": "'welcome'", "protocol": "number", "window": "number", "max_frame_bytes": "number",
      "name": "string", "place": "string", "mode": "Mode", "needs_pin": "boolean"
    },
    "State": {
      "type": "'state'", "phase": "Phase", "instruction": "Instruction", "progress": "number",
      "seconds_left": "number | null", "reads_codes": "boolean"
    },
    "Scanned": { "type": "'scanned'", "external_id": "string" },
    "Conclusion": {
      "type": "'conclusion'", "outcome": "Outcome", "sentence": "Sentence", "person": "string | null",
      "locked_for_s": "number | null", "shown_s": "number"
    },
    "ServerTime": { "server": "number" },
    "Result": {
      "type": "'result'", "sequence": "number", "status": "'analysed' | 'dropped' | 'failed'",
      "timings": "ServerTime", "window": "number", "dropped": "number"
    },
    "Notice": { "type": "'notice'", "code": "string" },
    "Error": { "type": "'error'", "code": "string" }
  },
  "server_messages": ["Welcome", "State", "Scanned", "Conclusion", "Result", "Notice", "Error"]
} /* contract ends */;

/** @typedef {"identify" | "verify" | "both"} Mode */

/** @typedef {"ready" | "claim" | "looking" | "result"} Phase */

/**
 * @typedef {"" | "stand_in_front" | "come_closer" | "look_at_camera" | "one_person_only" | "more_light"
 *   | "less_light" | "hold_still" | "move_into_picture" | "keep_looking" | "step_away"} Instruction
 */

/** @typedef {"accepted" | "refused" | "undecided" | "locked_out" | "error"} Outcome */

/**
 * @typedef {"welcome" | "not_recognised" | "not_confirmed" | "not_allowed" | "not_seen_well" | "several_people"
 *   | "time_up" | "locked_out" | "error"} Sentence
 */

/**
 * Page to server: somebody says who they are. `pin` is empty where none is asked for.
 * @typedef {object} Claim
 * @property {'claim'} type
 * @property {string} external_id
 * @property {string} pin
 */

/**
 * Page to server: somebody began to enter an id, so nobody is identified meanwhile.
 * @typedef {object} EnterId
 * @property {'enter_id'} type
 */

/**
 * Page to server: the id is not entered, or the claim not kept up.
 * @typedef {object} Cancel
 * @property {'cancel'} type
 */

/**
 * Server to page, after the hello and when the checkpoint was changed: what holds here.
 * @typedef {object} Welcome
 * @property {'welcome'} type
 * @property {number} protocol
 * @property {number} window
 * @property {number} max_frame_bytes
 * @property {string} name
 * @property {string} place
 * @property {Mode} mode
 * @property {boolean} needs_pin
 */

/**
 * Server to page, whenever it changes: where the transaction stands.
 * @typedef {object} State
 * @property {'state'} type
 * @property {Phase} phase
 * @property {Instruction} instruction
 * @property {number} progress
 * @property {number | null} seconds_left
 * @property {boolean} reads_codes
 */

/**
 * Server to page: the camera has read a code. The page makes the claim, with a PIN where one is needed.
 * @typedef {object} Scanned
 * @property {'scanned'} type
 * @property {string} external_id
 */

/**
 * Server to page, once the decision is stored.
 * @typedef {object} Conclusion
 * @property {'conclusion'} type
 * @property {Outcome} outcome
 * @property {Sentence} sentence
 * @property {string | null} person
 * @property {number | null} locked_for_s
 * @property {number} shown_s
 */

/**
 * Milliseconds that a frame was at the server.
 * @typedef {object} ServerTime
 * @property {number} server
 */

/**
 * Server to page, one for every frame sent; it says nothing of what was seen.
 * @typedef {object} Result
 * @property {'result'} type
 * @property {number} sequence
 * @property {'analysed' | 'dropped' | 'failed'} status
 * @property {ServerTime} timings
 * @property {number} window
 * @property {number} dropped
 */

/**
 * Server to page, whenever the state of the installation changes.
 * @typedef {object} Notice
 * @property {'notice'} type
 * @property {string} code
 */

/**
 * Server to page, right before the server closes with the code of the same name.
 * @typedef {object} Error
 * @property {'error'} type
 * @property {string} code
 */

/** @typedef {Welcome | State | Scanned | Conclusion | Result | Notice | Error} ServerMessage */
