import assert from "node:assert/strict";
import { test } from "node:test";

import { PROTOCOL } from "../../../static/js/messages.js";
import { errorOfClose, isFinal } from "../../../static/js/socket.js";
import { explainRefusal, similarityText } from "../../../static/js/texts.js";

const CLOSE = PROTOCOL.close_codes;

test("every close code is told by the error of the same name", () => {
  for (const [name, code] of Object.entries(CLOSE)) assert.equal(errorOfClose(code), PROTOCOL.error_codes[name]);
});

test("an unknown close code is told as the server's error", () => {
  assert.equal(errorOfClose(4999), "server_error");
});

test("does not come back when the server would refuse again", () => {
  const final = ["NOT_AUTHENTICATED", "NOT_PERMITTED", "FOREIGN_ORIGIN", "UNSUPPORTED_PROTOCOL", "MALFORMED"];
  for (const name of [...final, "OPENED_ELSEWHERE"]) assert.ok(isFinal(CLOSE[name]), name);
});

test("comes back after a restart, an overload, and a lost link", () => {
  for (const code of [1001, 1006, 1011, 1012, CLOSE.SERVER_ERROR, CLOSE.OVERLOADED, CLOSE.HELLO_TIMEOUT]) {
    assert.equal(isFinal(code), false, String(code));
  }
});

test("every refusal is explained, and a log-out offers to log in", () => {
  for (const code of Object.values(PROTOCOL.error_codes)) {
    const { title, advice } = explainRefusal(code);
    assert.ok(title.length > 0 && advice.length > 0, code);
  }
  assert.equal(explainRefusal("not_authenticated").action, "login");
});

test("a similarity is a cosine with two decimals, never a percentage", () => {
  assert.equal(similarityText(0.6149), "0.61");
  assert.equal(similarityText(-0.05), "-0.05");
  assert.equal(similarityText(null), "");
});
