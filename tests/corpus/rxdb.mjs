// A session of RxDB as it comes from npm: first replication, edits on both sides, a visit that goes, one that is made.

import { randomUUID } from 'node:crypto'

import { createRxDatabase } from 'rxdb'
import { disableWarnings } from 'rxdb/plugins/dev-mode'
import { replicateRxCollection } from 'rxdb/plugins/replication'
import { getRxStorageMemory } from 'rxdb/plugins/storage-memory'

import { rxHandlers, rxSchema } from '../../docs/how-to/stock-clients.mjs'
import { SERVER, company, contract, enrol, newVisit, office } from './office.mjs'

disableWarnings()
const names = ['visit', 'site', 'asset']
const [stays, goes] = [await newVisit(company.anna), await newVisit(company.anna, 1)]
const token = await enrol(company.anna)
const database = await createRxDatabase({ name: `rounds${randomUUID()}`, storage: getRxStorageMemory(), multiInstance: false })
await database.addCollections(Object.fromEntries(names.map((name) => [name, { schema: rxSchema(contract, name) }])))

/** Replicate all, whole, as an app does. */
async function sync() {
  for (const name of names) {
    const handlers = rxHandlers({ server: SERVER, token, name })
    const replication = replicateRxCollection({
      collection: database[name],
      replicationIdentifier: `rounds-${name}`,
      live: false,
      pull: { ...handlers.pull, batchSize: 100 },
      push: { ...handlers.push, batchSize: 100 },
    })
    replication.error$.subscribe((error) => console.error(error))
    await replication.awaitInitialReplication()
    await replication.cancel()
  }
}

const get = (name, id) => database[name].findOne(id).exec(true)
const change = async (name, id, values) => (await get(name, id)).incrementalPatch(values)
const entry = (values) => ({ id: randomUUID(), at: new Date().toISOString(), ...values })

await sync()
const { events, notes } = (await get('visit', stays)).toJSON()
await change('visit', stays, {
  events: [...events, entry({ type: 'started' })],
  notes: [...notes, entry({ text: 'Ключ у администратора' })],
  work_summary: 'Seal replaced',
})
await change('site', company.sites[0], { access_note: 'Side door' })
await office('change', { collection: 'site', id: company.sites[0], values: { danger_note: 'Dog' } })
await office('change', { collection: 'visit', id: stays, values: { work_summary: 'By the office' } })
await sync()
await change('visit', stays, { priority: 3 })
await office('publish', { visit: goes, technician: company.boris, start: '2026-11-25T08:00:00Z' })
await database.visit.insert({ id: randomUUID(), kind: 'repair_minor', site_id: company.sites[0], asset_ids: [company.assets[0]] })
await sync()
await sync()
await database.close()
