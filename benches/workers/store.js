// Stands in for Workers KV: what a binding of that kind asks over HTTP, answered from one text that is ready.
import values from "./values.json";

export default {
  fetch(request) {
    const name = decodeURIComponent(new URL(request.url).pathname.slice(1));
    return Object.hasOwn(values, name) ? new Response(values[name]) : new Response(null, { status: 404 });
  },
};
