//! The functions of `worker.js`: every contact with the platform stands here.

use wasm_bindgen::prelude::*;

/// Stands for a value that is not there: no field value holds a NUL.
pub const ABSENT: &str = "\0";

#[wasm_bindgen]
extern "C" {
    /// The platform, as `worker.js` puts it.
    pub type Host;

    /// Method, URL, and the name (in lower case) and value of each field in turn, one a line.
    #[wasm_bindgen(method)]
    pub fn read(this: &Host, request: &JsValue) -> String;

    /// A variable or secret as text; a table as JSON.
    #[wasm_bindgen(method)]
    pub fn variable(this: &Host, env: &JsValue, name: &str) -> Option<String>;

    /// Whether there is a binding of that name that has that method.
    #[wasm_bindgen(method)]
    pub fn has(this: &Host, env: &JsValue, name: &str, method: &str) -> bool;

    /// Asks `EDGEWARD_KV` for what is revoked and for the values of `more` keys, one a line, and goes on with `then`: an array
    /// of texts and nulls, or `undefined`.
    #[wasm_bindgen(method)]
    pub fn store(this: &Host, request: &JsValue, env: &JsValue, more: &str, then: &JsValue) -> JsValue;

    /// Asks `EDGEWARD_KV` for the value of a key, and goes on with `then`: text, `null`, or `undefined` where it did not answer.
    #[wasm_bindgen(method)]
    pub fn value(this: &Host, request: &JsValue, env: &JsValue, key: &str, then: &JsValue) -> JsValue;

    /// Asks for the same as [`Self::store`] in the background.
    #[wasm_bindgen(method)]
    pub fn renew(this: &Host, ctx: &JsValue, env: &JsValue, more: &str, then: &JsValue);

    /// Puts what was ended into `EDGEWARD_KV` under a key, through [`super::merge_ended`], and goes on with `then`: whether
    /// that was done.
    #[wasm_bindgen(method)]
    pub fn end(
        this: &Host,
        request: &JsValue,
        env: &JsValue,
        key: &str,
        more: &str,
        then: &JsValue,
    ) -> JsValue;

    /// The script that warns before a session ends, with words (JSON) in their places.
    #[wasm_bindgen(method)]
    pub fn script(this: &Host, request: &JsValue, fields: &str, words: &str) -> JsValue;

    /// Goes on with `then` after so many milliseconds.
    #[wasm_bindgen(method)]
    pub fn pause(this: &Host, request: &JsValue, env: &JsValue, millis: u32, then: &JsValue) -> JsValue;

    /// Calls a method of an object of `EDGEWARD_LEDGER`, and goes on with `then`: JSON, or `undefined`.
    #[wasm_bindgen(method)]
    pub fn ledger(
        this: &Host,
        request: &JsValue,
        env: &JsValue,
        object: &str,
        method: &str,
        arguments: &str,
        then: &JsValue,
    ) -> JsValue;

    /// Reads the content of a request up to `limit` octets, and goes on with `then`: text, or `undefined`.
    #[wasm_bindgen(method)]
    pub fn content(this: &Host, request: &JsValue, env: &JsValue, limit: usize, then: &JsValue) -> JsValue;

    /// Writes a data point (JSON) to `EDGEWARD_EVENTS`.
    #[wasm_bindgen(method)]
    pub fn event(this: &Host, env: &JsValue, point: &str);

    /// The country the request comes from, where the platform knows it.
    #[wasm_bindgen(method)]
    pub fn country(this: &Host, request: &JsValue) -> Option<String>;

    /// Milliseconds since the epoch. Stands still between I/O in production.
    #[wasm_bindgen(method)]
    pub fn now(this: &Host) -> f64;

    /// Octets from the platform's generator.
    #[wasm_bindgen(method)]
    pub fn random(this: &Host, length: u32) -> Vec<u8>;

    /// Writes a line to the log.
    #[wasm_bindgen(method)]
    pub fn log(this: &Host, line: &str);

    /// A response; `fields` are names and values in turn, one a line.
    #[wasm_bindgen(method)]
    pub fn respond(this: &Host, status: u16, fields: &str, content: Option<&str>) -> JsValue;

    /// Sends a request on, gives the origin `timeout` seconds to begin its answer (0: as long as the platform waits), and hands its answer back through
    /// [`super::answered`] or [`super::unanswered`]. `outgoing` is the URL, then names and values of fields in turn, one
    /// a line: set, or taken off where the value is [`ABSENT`]. `cookie` goes out with the answer as a `Set-Cookie`.
    #[wasm_bindgen(method)]
    pub fn forward(
        this: &Host,
        request: &JsValue,
        env: &JsValue,
        outgoing: &str,
        options: u32,
        timeout: u32,
        cookie: Option<&str>,
    ) -> JsValue;

    /// Asks `ASSETS` for a file, and goes on with `then`: its text, empty where it is not there, or `undefined` where that
    /// could not be learned.
    #[wasm_bindgen(method)]
    pub fn asset(this: &Host, request: &JsValue, env: &JsValue, url: &str, then: &JsValue) -> JsValue;

    /// A file of the brand with the fields of an answer of ours, or [`super::missing`].
    #[wasm_bindgen(method)]
    pub fn brand(this: &Host, request: &JsValue, env: &JsValue, url: &str, fields: &str) -> JsValue;
}

/// Brings text to Normalization Form C: the platform has the tables.
pub fn nfc(text: &str) -> String {
    js_sys::JsString::from(text).normalize("NFC").into()
}
