// A page speaks JSON-RPC with its host (SEP-1865, 2026-01-26).
// What comes from an archive is only ever put in as text, never as markup.
const at = (id) => document.getElementById(id);
const PATIENCE = 120_000;                   // ms: a client may ask its user before it asks the server
let lastId = 0, context = {};
const waiting = new Map(), heard = {};      // what the host tells, by its method
const send = (message) => window.parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
function request(method, params) {
  const id = ++lastId;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    setTimeout(() => { waiting.delete(id); reject(new Error("The client did not answer.")); }, PATIENCE);
    send({ id, method, params });
  });
}
window.addEventListener("message", ({ source, data }) => {
  if (source !== window.parent || data?.jsonrpc !== "2.0") return;
  if (data.method) {
    if (heard[data.method]) heard[data.method](data.params || {});
    else if (["ping", "ui/resource-teardown"].includes(data.method)) send({ id: data.id, result: {} });
    else if (data.id !== undefined) send({ id: data.id, error: { code: -32601, message: "Method not found" } });
    return;
  }
  const { resolve, reject } = waiting.get(data.id) || {};
  waiting.delete(data.id);
  if (!resolve) return;
  if (data.error) reject(new Error(data.error.message || "The client refused."));
  else resolve(data.result || {});
});
function dressed(changed) {                 // theme, colours and margins of the host
  context = { ...context, ...changed };
  const style = document.documentElement.style;
  if (context.theme) style.colorScheme = context.theme;
  for (const [name, value] of Object.entries(changed.styles?.variables || {}))
    if (name.startsWith("--") && value) style.setProperty(name, value);
  const { top = 0, right = 0, bottom = 0, left = 0 } = context.safeAreaInsets || {};
  document.body.style.padding = [top, right, bottom, left].map((one) => `${Number(one)}px`).join(" ");
}
const watch = new ResizeObserver(() => send({
  method: "ui/notifications/size-changed",
  params: { width: document.documentElement.clientWidth, height: document.body.scrollHeight },
}));
function begin(name, modes, dress, failed) {
  heard["ui/notifications/host-context-changed"] = dress;
  request("ui/initialize", {
    protocolVersion: "2026-01-26",
    appInfo: { name, version: "1" },
    appCapabilities: { availableDisplayModes: modes },
  }).then((result) => {
    dress(result.hostContext || {});
    send({ method: "ui/notifications/initialized", params: {} });
    watch.observe(document.body);
  }).catch((error) => failed(error.message));
}
