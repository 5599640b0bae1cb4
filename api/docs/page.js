// Shows the specification of the server that it came from, and sends calls to it. No other address is ever asked.

/** An element with attributes and children; text is never read as markup. */
const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.append(...children)
  return made
}

const specification = await (await fetch("/openapi.json")).json()

const named = (reference) => reference.slice(reference.lastIndexOf("/") + 1)
const resolved = (schema) =>
  schema?.$ref === undefined ? schema : specification.components.schemas[named(schema.$ref)]

const limits = (schema) =>
  ["minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "pattern", "format"]
    .filter((key) => schema[key] !== undefined)
    .map((key) => `${key} ${schema[key]}`)
    .join(", ")

/** A schema in one line; structures that have a name by it. */
const brief = (schema, depth = 0) => {
  if (schema === undefined) return "any"
  if (schema.$ref !== undefined) return named(schema.$ref)
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ")
  const several = schema.anyOf ?? schema.oneOf
  if (several !== undefined) return several.map((one) => brief(one, depth)).join(" | ")
  if (schema.type === "array") return `[${brief(schema.items, depth + 1)}]`
  if (schema.type === "object" && schema.properties !== undefined && depth < 2)
    return `{ ${Object.entries(schema.properties)
      .map(([key, value]) => `${key}: ${brief(value, depth + 1)}`)
      .join(", ")} }`
  return [schema.type ?? "any", limits(schema)].filter(Boolean).join(", ")
}

const shown = (schema) => {
  const whole = resolved(schema)
  return element("pre", {}, JSON.stringify(whole, null, 2) ?? "any")
}

const table = (head, rows) =>
  element(
    "table",
    {},
    element("tr", {}, ...head.map((cell) => element("th", {}, cell))),
    ...rows.map((row) => element("tr", {}, ...row.map((cell) => element("td", {}, cell)))),
  )

const contents = (content = {}) =>
  Object.entries(content).map(([type, { schema }]) =>
    element(
      "details",
      {},
      element("summary", {}, element("code", {}, type), ` ${schema?.$ref ? named(schema.$ref) : ""}`),
      shown(schema),
    ),
  )

const answers = (responses) =>
  Object.entries(responses).map(([status, { description, content, headers = {} }]) => {
    const carried = Object.keys(headers)
    return element(
      "details",
      {},
      element("summary", {}, element("code", {}, status), ` ${description}`),
      ...(carried.length === 0 ? [] : [element("p", {}, `Headers: ${carried.join(", ")}`)]),
      ...contents(content),
    )
  })

/** Fields for a call's parameters and body, and what the server answers. */
const sender = (method, path, { parameters = [], requestBody }) => {
  const fields = parameters.map((parameter) => [parameter, element("input", { spellcheck: "false" })])
  const types = Object.keys(requestBody?.content ?? {})
  const body = element("textarea", { rows: "6", spellcheck: "false" })
  const answer = element("pre", { hidden: "" })
  const form = element(
    "form",
    {},
    ...fields.map(([{ name, schema }, input]) =>
      element("label", {}, schema?.type === "array" ? `${name}, separated by spaces` : name, input),
    ),
    ...(types.length === 0 ? [] : [element("label", {}, `Body, ${types[0]}`, body)]),
    element("button", {}, "Send"),
  )
  const send = async () => {
    let address = path
    const query = new URLSearchParams()
    const headers = new Headers()
    const key = document.querySelector("#key").value.trim()
    if (key !== "") headers.set("Authorization", `Bearer ${key}`)
    for (const [parameter, { value }] of fields) {
      const { name, schema } = parameter
      if (parameter.in === "path") address = address.replace(`{${name}}`, encodeURIComponent(value))
      else if (value !== "" && parameter.in === "header") headers.set(name, value)
      else if (value !== "")
        for (const one of schema?.type === "array" ? value.trim().split(/\s+/u) : [value])
          query.append(name, one)
    }
    if (types.length > 0) headers.set("Content-Type", types[0])
    const question = query.size === 0 ? "" : `?${query}`
    const response = await fetch(`${address}${question}`, {
      method,
      headers,
      ...(types.length === 0 ? {} : { body: body.value }),
    })
    const text = await response.text()
    const type = response.headers.get("Content-Type") ?? ""
    const pretty = type.includes("json") && text !== "" ? JSON.stringify(JSON.parse(text), null, 2) : text
    return `${method} ${address}${question}\n${response.status} ${response.statusText}\n${type}\n\n${pretty}`
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault()
    answer.hidden = false
    answer.textContent = "…"
    answer.textContent = await send().catch(String)
  })
  return [form, answer]
}

const section = (title, ...children) => (children.length === 0 ? [] : [element("h3", {}, title), ...children])

const call = (method, path, operation) => {
  const { summary, description = "", parameters = [], requestBody, responses } = operation
  const details = element(
    "details",
    { class: "call" },
    element(
      "summary",
      {},
      element("span", { class: "method" }, method),
      element("span", { class: "path" }, path),
      ` ${summary}`,
    ),
  )
  const fill = () => {
    const rows = parameters.map((parameter) => [
      element("code", {}, parameter.name),
      `${parameter.in}${parameter.required ? ", required" : ""}`,
      element("code", {}, brief(parameter.schema)),
      parameter.description ?? "",
    ])
    details.append(
      element(
        "div",
        {},
        element("p", {}, description),
        ...section(
          "Parameters",
          ...(rows.length === 0 ? [] : [table(["name", "in", "is", "meaning"], rows)]),
        ),
        ...section("Body", ...contents(requestBody?.content)),
        ...section("Answers", ...answers(responses)),
        ...section("Try it", ...sender(method, path, operation)),
      ),
    )
  }
  details.addEventListener("toggle", fill, { once: true })
  return details
}

document.querySelector("#about").textContent = specification.info.description
const calls = Object.entries(specification.paths).flatMap(([path, operations]) =>
  Object.entries(operations).map(([method, operation]) => call(method.toUpperCase(), path, operation)),
)
document.querySelector("#calls").append(...calls)
document.querySelector("#filter").addEventListener("input", ({ target }) => {
  const wanted = target.value.toLowerCase()
  for (const one of calls) one.hidden = !one.firstChild.textContent.toLowerCase().includes(wanted)
})
