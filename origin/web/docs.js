// The API to be read and tried: made from /openapi.json when the page opens.

import { h } from "./lib/dom.js";

const METHODS = ["get", "post", "put", "patch", "delete"];

/** A schema as a short example of itself. */
function example(schema, schemas, depth = 0) {
  if (!schema || depth > 6) return "…";
  if (schema.$ref) return example(schemas[schema.$ref.split("/").pop()], schemas, depth + 1);
  if (schema.anyOf) return example(schema.anyOf[0], schemas, depth);
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.type === "array") return [example(schema.items, schemas, depth + 1)];
  if (schema.type === "object") {
    const members = Object.entries(schema.properties ?? {});
    return Object.fromEntries(members.map(([key, value]) => [key, example(value, schemas, depth + 1)]));
  }
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (type === "integer" || type === "number") return 0;
  if (type === "boolean") return false;
  return schema.format === "date-time" ? "2026-01-02T03:04:05Z" : "text";
}

function pretty(value) {
  return h("pre", {}, typeof value === "string" ? value : JSON.stringify(value, null, 2));
}

function access(operation) {
  if (operation.security.length === 0) return "open to all";
  return operation.security.some((it) => Object.keys(it).length === 0) ? "guests where they are let in" : "needs an account";
}

/** The form that sends the request, with the player's own sign-in. */
function trial(method, path, operation, schemas) {
  const fields = (operation.parameters ?? []).map((parameter) => {
    const input = h("input", { name: parameter.name, autocomplete: "off" });
    return { parameter, input, label: h("label", {}, `${parameter.name} (${parameter.in})`, input) };
  });
  const schema = operation.requestBody?.content["application/json"]?.schema;
  const body = schema ? h("textarea", { rows: "6", "aria-label": "Body" }) : null;
  if (body) body.value = JSON.stringify(example(schema, schemas), null, 2);
  const out = h("div", { "aria-live": "polite" });
  const form = h("form", {}, ...fields.map((it) => it.label), body, h("button", {}, "Send"), out);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    let url = path;
    const search = new URLSearchParams();
    for (const { parameter, input } of fields) {
      if (parameter.in === "path") url = url.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
      else if (input.value) search.set(parameter.name, input.value);
    }
    const headers = body ? { "content-type": "application/json" } : {};
    out.replaceChildren("…");
    try {
      const query = search.size ? `?${search}` : "";
      const answer = await fetch(url + query, { method: method.toUpperCase(), headers, body: body?.value });
      const text = await answer.text();
      let shown = text;
      try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON */ }
      out.replaceChildren(h("p", {}, `${answer.status} ${answer.statusText}`), pretty(shown.slice(0, 20_000)));
    } catch (error) {
      out.replaceChildren(h("p", {}, `No answer: ${error.message}`));
    }
  });
  return form;
}

function answers(operation, schemas) {
  const rows = Object.entries(operation.responses).map(([status, answer]) => {
    const content = answer.content ? Object.keys(answer.content).join(", ") : "";
    return h("tr", {}, h("td", {}, status), h("td", {}, answer.description), h("td", {}, h("code", {}, content)));
  });
  const [, success] = Object.entries(operation.responses).find(([status]) => status.startsWith("2")) ?? [];
  const schema = success?.content?.["application/json"]?.schema;
  return [h("table", {}, ...rows), schema ? pretty(example(schema, schemas)) : null];
}

function show(method, path, operation, schemas) {
  const details = h("details", { id: operation.operationId },
    h("summary", {},
      h("code", { class: "method" }, method), h("code", { class: "path" }, path),
      h("span", {}, operation.summary), h("span", { class: "access" }, access(operation))));
  // Filled when it is opened: there are many.
  details.addEventListener("toggle", () => {
    if (details.childElementCount > 1) return;
    details.append(...answers(operation, schemas).filter(Boolean), trial(method, path, operation, schemas));
  });
  return details;
}

async function start() {
  const main = document.getElementById("docs");
  try {
    const spec = await (await fetch("/openapi.json")).json();
    const tags = new Map();
    for (const [path, operations] of Object.entries(spec.paths)) {
      for (const method of METHODS.filter((it) => operations[it])) {
        const operation = operations[method];
        const tag = operation.tags[0];
        if (!tags.has(tag)) tags.set(tag, []);
        tags.get(tag).push(show(method, path, operation, spec.components.schemas));
      }
    }
    main.replaceChildren(
      h("h1", {}, `${spec.info.title} ${spec.info.version}`), h("p", {}, spec.info.description),
      h("p", {}, h("a", { href: "/openapi.json" }, "OpenAPI 3.1 document")),
      ...[...tags].flatMap(([tag, items]) => [h("h2", {}, tag), ...items]));
  } catch (error) {
    main.replaceChildren(h("p", { role: "alert" }, `The document cannot be read: ${error.message}`));
  }
  main.removeAttribute("aria-busy");
}

start();
