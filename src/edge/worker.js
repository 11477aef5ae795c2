// The entry point that the platform calls; the rest is Rust.
import module from "./index_bg.wasm";
import * as bindings from "./index_bg.js";

const instance = new WebAssembly.Instance(module, { "./index_bg.js": bindings });
bindings.__wbg_set_wasm(instance.exports);
instance.exports.__wbindgen_start?.();

export default {
  fetch(request, env, ctx) {
    return bindings.fetch(request, env, ctx);
  },
};
