//! To come.
use wasm_bindgen::prelude::*;
use worker::web_sys::{Request, Response, ResponseInit};

/// TEMPORARY: proves the build.
#[wasm_bindgen]
pub fn fetch(request: &Request, env: JsValue, _ctx: JsValue) -> Result<JsValue, JsValue> {
    let url = request.url();
    if url.ends_with("/.edgeward/health") {
        let configured = js_sys::Reflect::has(&env, &"EDGEWARD".into())?;
        return respond(if configured { 200 } else { 503 });
    }
    if !url.contains("/public/") && !request.headers().has("authorization")? {
        return respond(401);
    }
    if url.ends_with("/.edgeward/whoami") {
        return respond(200);
    }
    let assets = js_sys::Reflect::get(&env, &"ASSETS".into())?;
    let fetch: js_sys::Function = js_sys::Reflect::get(&assets, &"fetch".into())?.unchecked_into();
    let url = if url.ends_with('/') { format!("{url}index.html") } else { url };
    fetch.call1(&assets, &Request::new_with_str(&url)?.into())
}

fn respond(status: u16) -> Result<JsValue, JsValue> {
    let init = ResponseInit::new();
    init.set_status(status);
    Ok(Response::new_with_opt_str_and_init(Some("temporary\n"), &init)?.into())
}
