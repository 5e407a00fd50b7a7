// The native REST API, as the signed-in session.

const token = () => document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";

/** A problem (RFC 9457) that the server answered with, or that it could not be reached. */
export class Problem extends Error {
  constructor(fields) {
    super(fields.detail);
    Object.assign(this, fields);
  }

  /** The command may or may not have taken effect. */
  get unknown() {
    return this.status === 0 || this.code === "STATUS_UNKNOWN";
  }
}

export async function request(method, path, { query = {}, body } = {}) {
  const url = new URL(`/api/v1${path}`, location.origin);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null) url.searchParams.set(name, value);
  }
  const headers = { "X-CSRFToken": token() };
  if (body) headers["Content-Type"] = "application/json";
  let response, answer;
  try {
    response = await fetch(url, { method, headers, body: body && JSON.stringify(body) });
    answer = await response.json();
  } catch {
    throw new Problem({ status: 0, code: "UNREACHABLE", detail: "The exchange does not answer." });
  }
  if (!response.ok) throw new Problem(answer);
  return answer;
}

export const get = (path, query) => request("GET", path, { query });
