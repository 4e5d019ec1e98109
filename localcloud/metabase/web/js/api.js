/** The API, as the application calls it. A refusal carries words for people: the gateway's, where it answered. */

export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {string} title
   * @param {string} detail
   * @param {boolean} isProblem whether it is a problem document (RFC 9457), so not Metabase's own answer
   */
  constructor(status, title, detail, isProblem = false) {
    super(`${title}: ${detail}`);
    Object.assign(this, { status, title, detail, isProblem });
  }
}

/**
 * @param {string} method
 * @param {string} path
 * @param {object} [body] sent as JSON
 * @returns {Promise<Response>} a successful one
 */
export async function request(method, path, body) {
  const headers = { accept: "application/json" };
  if (body !== undefined) headers["content-type"] = "application/json";
  const response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  if (response.ok) return response;
  throw await refusal(response);
}

/** @returns {Promise<any>} the parsed answer; a text as it is, nothing as null */
export async function call(method, path, body) {
  const response = await request(method, path, body);
  if (response.status === 204) return null;
  return isJson(response) ? response.json() : response.text();
}

const isJson = (response) => (response.headers.get("content-type") ?? "").includes("json");

async function refusal(response) {
  const answer = isJson(response) ? await response.json().catch(() => null) : await response.text();
  if (answer?.title) return new Refusal(response.status, answer.title, answer.detail ?? "", true);
  const errors = Object.values(answer?.errors ?? {}).join(" ");
  const words = typeof answer === "string" ? answer : errors || answer?.message;
  const title = TITLES[response.status] ?? "Not available";
  const detail = response.status === 404 ? "There is nothing at this address, or no longer." : words;
  return new Refusal(response.status, title, detail || `Status ${response.status}.`);
}

const TITLES = { 400: "Not accepted", 401: "Not signed in", 403: "Not allowed", 404: "Not found" };
