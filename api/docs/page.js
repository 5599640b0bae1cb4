// Shows the specification of the server that it came from, and sends calls to it. No other address is ever asked.

/** An element with attributes and children; text is never read as markup. */
const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.append(...children)
  return made
}

/** Text in which `back-ticks` stand for code. */
const prose = (text) =>
  text.split("`").map((part, index) => (index % 2 === 1 ? element("code", {}, part) : part))
const paragraphs = (text) => text.split("\n\n").map((part) => element("p", {}, ...prose(part)))

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
      element("summary", {}, element("code", {}, status), " ", ...prose(description)),
      ...(carried.length === 0 ? [] : [element("p", {}, `Headers: ${carried.join(", ")}`)]),
      ...contents(content),
    )
  })

/** A body to begin with: of an event, one that has just happened. */
const exampleOf = (content) => {
  const { example } = Object.values(content ?? {})[0] ?? {}
  const fresh = { id: `example-${Date.now()}`, time: new Date().toISOString() }
  return example === undefined ? "" : JSON.stringify(example, (key, value) => fresh[key] ?? value, 2)
}

/** A field for a parameter. */
const field = ({ name, required, schema }) => {
  const isList = schema?.type === "array"
  const input = element("input", { spellcheck: "false", ...(required ? { required: "" } : {}) })
  const label = `${name}${required ? ", required" : ""}${isList ? ", separated by spaces" : ""}`
  const values = () => (isList ? input.value.trim().split(/\s+/u) : [input.value]).filter(Boolean)
  return { label: element("label", {}, label, input), values }
}

/** The request that the fields ask for. */
const requestOf = (method, path, fields, type, body) => {
  let address = path
  const query = new URLSearchParams()
  const headers = new Headers()
  const key = document.querySelector("#key").value.trim()
  if (key !== "") headers.set("Authorization", `Bearer ${key}`)
  if (type !== undefined) headers.set("Content-Type", type)
  for (const [parameter, { values }] of fields)
    for (const value of values())
      if (parameter.in === "path") address = address.replace(`{${parameter.name}}`, encodeURIComponent(value))
      else if (parameter.in === "header") headers.set(parameter.name, value)
      else query.append(parameter.name, value)
  const question = query.size === 0 ? "" : `?${query}`
  return [`${address}${question}`, { method, headers, ...(type === undefined ? {} : { body }) }]
}

const IS_JSON = /[/+]json\b/u
const IS_TEXT = /^text\/|json\b/u

/** What was answered: as text when it is some, and a file as a file. */
const shownAnswer = async (response, asked) => {
  const type = response.headers.get("Content-Type") ?? ""
  const [, name] = /filename="([^"]+)"/u.exec(response.headers.get("Content-Disposition") ?? "") ?? []
  const bytes = await response.blob()
  const text = IS_TEXT.test(type) ? await bytes.text() : `${bytes.size} bytes`
  const pretty = IS_JSON.test(type) && text !== "" ? JSON.stringify(JSON.parse(text), null, 2) : text
  const head = `${asked}\n${response.status} ${response.statusText}\n${type}`
  const said = element("pre", {}, `${head}\n\n${pretty}`)
  if (name === undefined) return [said]
  const file = element("a", { href: URL.createObjectURL(bytes), download: name }, `Save ${name}`)
  return [element("p", {}, file), said]
}

/** Fields for a call's parameters and body, and what the server answers. */
const sender = (method, path, { parameters = [], requestBody }) => {
  const fields = parameters.map((parameter) => [parameter, field(parameter)])
  const [type] = Object.keys(requestBody?.content ?? {})
  const example = exampleOf(requestBody?.content)
  const rows = Math.max(6, example.split("\n").length)
  const body = element("textarea", { rows, spellcheck: "false", required: "" }, example)
  const answer = element("div", { "aria-live": "polite" })
  const form = element(
    "form",
    {},
    ...fields.map(([, { label }]) => label),
    ...(type === undefined ? [] : [element("label", {}, `Body, ${type}, required`, body)]),
    element("button", {}, "Send"),
  )
  const send = async () => {
    const [address, init] = requestOf(method, path, fields, type, body.value)
    return shownAnswer(await fetch(address, init), `${method} ${address}`)
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault()
    answer.replaceChildren("…")
    answer.replaceChildren(...(await send().catch((error) => [element("pre", {}, String(error))])))
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
      element("span", {}, ...prose(parameter.description ?? "")),
    ])
    details.append(
      element(
        "div",
        {},
        ...paragraphs(description),
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

document.querySelector("#about").append(...prose(specification.info.description))

const operations = Object.entries(specification.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
)
/** The calls of each area, under its name. */
const areas = specification.tags.map(({ name, description }) => {
  const calls = operations
    .filter(({ operation }) => operation.tags.includes(name))
    .map(({ method, path, operation }) => call(method, path, operation))
  const about = element("p", {}, ...prose(description))
  return { calls, part: element("section", {}, element("h2", {}, name), about, ...calls) }
})
document.querySelector("#calls").append(...areas.map(({ part }) => part))
document.querySelector("#filter").addEventListener("input", ({ target }) => {
  const wanted = target.value.toLowerCase()
  for (const { calls, part } of areas) {
    for (const one of calls) one.hidden = !one.firstChild.textContent.toLowerCase().includes(wanted)
    part.hidden = calls.every((one) => one.hidden)
  }
})
