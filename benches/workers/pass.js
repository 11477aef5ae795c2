// Passes every request on: what a Worker costs that does nothing.
export default {
  fetch(request) {
    return fetch(request);
  },
};
