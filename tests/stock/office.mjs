// What the scenarios have in common: the office at work over its API, tablets of technicians, and a network that fails.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'

export const SERVER = process.env.ROUNDS_URL ?? ''
const COMPANY = JSON.parse(process.env.ROUNDS_COMPANY ?? '{}')

/** One request of the office; its JSON. */
async function office(method, path, body) {
  const answer = await fetch(SERVER + path, {
    method,
    headers: { Authorization: `Bearer ${process.env.ROUNDS_OFFICE}`, 'Content-Type': 'application/json' },
    body: body && JSON.stringify(body),
  })
  const text = await answer.text()
  assert.ok(answer.ok, `${method} ${path}: ${text}`)
  return text && JSON.parse(text)
}

export const people = { anna: COMPANY.anna, boris: COMPANY.boris }
export const furnished = { site: COMPANY.sites?.[0], asset: COMPANY.assets?.[0] }

export const contract = await (await fetch(`${SERVER}/sync/v1/schema`)).json()

/** A new site of the company's customer. */
export async function newSite(values = {}) {
  const site = { customer_id: COMPANY.customer, branch_id: COMPANY.branch, name: `Inn ${randomUUID().slice(0, 4)}`, lat: 42.5, lon: 1.5 }
  return (await office('POST', '/api/v1/sites', { ...site, tz: 'Europe/Andorra', access_note: 'Ring', ...values })).id
}

/** A visit published to a technician. */
export async function newVisit(siteId, technicianId, values = {}) {
  const { id } = await office('POST', '/api/v1/visits', { kind: 'preventive_maintenance', site_id: siteId, ...values })
  await give(id, technicianId)
  return id
}

/** Give a visit to a technician. */
export const give = (visitId, technicianId) =>
  edit('visits', visitId, { assignee_id: technicianId, plan_state: 'published', planned_start: '2026-11-25T09:00:00Z' })

export const edit = (what, id, values) => office('PATCH', `/api/v1/${what}/${id}`, values)

export const read = (what, id) => office('GET', `/api/v1/${what}/${id}`)

/** The conflict log of a document, newest first. */
export async function clashes(documentId) {
  const { items } = await office('GET', '/api/v1/conflicts?limit=200')
  return items.filter((each) => each.document_id === documentId)
}

/** A new tablet of a technician. */
export async function enrol(technicianId) {
  const { code } = await office('POST', '/api/v1/devices/enrolment-codes', { technician_id: technicianId })
  const answer = await fetch(`${SERVER}/sync/v1/enrol`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ code, device_name: 'Stock' }),
  })
  const { token, device_id: id } = await answer.json()
  return { token, id, net: new Net() }
}

export const revoke = (deviceId) => office('POST', `/api/v1/devices/${deviceId}/revoke`)

/** What became of all that a tablet sent. */
export async function journal(token) {
  const answer = await fetch(`${SERVER}/sync/v1/mutations?limit=1000`, { headers: { Authorization: `Bearer ${token}` } })
  return (await answer.json()).mutations
}

/** A network between a tablet and the server that can be away, lose answers, and answer for a server that is busy. */
export class Net {
  away = false
  /** How many of the next answers are lost on the way, to requests whose method is `losing`. */
  lose = 0
  losing = 'POST'
  /** How many of the next requests a proxy answers instead of the server. */
  busy = 0
  /** Called with each answer before the tablet gets it. */
  held = async () => {}
  /** All answers of the server that were errors. */
  errors = []
  requests = []

  fetch = async (url, options = {}) => {
    const method = options.method ?? 'GET'
    this.requests.push(`${method} ${String(url)}`)
    if (this.away) throw new TypeError('fetch failed')
    if (this.busy > 0) {
      this.busy -= 1
      return new Response('busy', { status: 503, headers: { 'Retry-After': '0' } })
    }
    const answer = await fetch(url, options)
    if (!answer.ok) this.errors.push({ status: answer.status, type: answer.headers.get('Content-Type') ?? '', text: await answer.clone().text() })
    if (this.lose > 0 && method === this.losing) {
      this.lose -= 1
      await answer.arrayBuffer()
      throw new TypeError('fetch failed')
    }
    await this.held(method, String(url))
    return answer
  }
}

/** Wait until something is so; the test's own time limit ends it. */
export async function until(holds) {
  for (;;) {
    const found = await holds()
    if (found) return found
    await new Promise((resolve) => setImmediate(resolve))
  }
}
