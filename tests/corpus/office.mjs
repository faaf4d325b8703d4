// The office of a session that a stock client plays: each step goes through the recorder, which writes it down.

export const SERVER = process.env.ROUNDS_URL
export const company = JSON.parse(process.env.ROUNDS_COMPANY)
export const contract = await (await fetch(`${SERVER}/sync/v1/schema`)).json()

/** A step of the office; what it made. */
export async function office(step, given) {
  const answer = await fetch(`${SERVER}/office`, { method: 'POST', body: JSON.stringify({ office: step, ...given }) })
  if (!answer.ok) throw new Error(await answer.text())
  return answer.json()
}

/** A visit with its pump, published. */
export async function newVisit(technician, at = 0) {
  const visit = await office('visit', { values: { site_id: company.sites[at], asset_ids: [company.assets[at]] } })
  await office('publish', { visit, technician, start: '2026-11-25T08:00:00Z' })
  return visit
}

/** A token for a technician's tablet. */
export async function enrol(technician) {
  const code = await office('code', { technician })
  const body = JSON.stringify({ code, device_name: 'Recorded', schema_version: contract.schema_version })
  const answer = await fetch(`${SERVER}/sync/v1/enrol`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body })
  return (await answer.json()).token
}
