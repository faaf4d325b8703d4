// A session of WatermelonDB as it comes from npm: first pull, edits on both sides, a visit that goes, one that is made.

import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'

import { melonHandlers, melonSync, melonTables } from '../../docs/how-to/stock-clients.mjs'
import { SERVER, company, contract, enrol, newVisit, office } from './office.mjs'

const require = createRequire(import.meta.url)
const { Database, Model, appSchema, tableSchema } = require('@nozbe/watermelondb')
const { synchronize } = require('@nozbe/watermelondb/sync')
const { schemaMigrations } = require('@nozbe/watermelondb/Schema/migrations')
const LokiJSAdapter = require('@nozbe/watermelondb/adapters/lokijs').default
const { LokiMemoryAdapter } = require('lokijs')
const logger = require('@nozbe/watermelondb/utils/common/logger').default

logger.silence()
const names = ['visit', 'site', 'asset']
const tables = melonTables(contract, names)
const adapter = new LokiJSAdapter({
  schema: appSchema({ version: 1, tables: tables.map(tableSchema) }),
  migrations: schemaMigrations({ migrations: [] }),
  useWebWorker: false,
  useIncrementalIndexedDB: true,
  dbName: 'rounds',
  _testLokiAdapter: new LokiMemoryAdapter(),
  extraLokiOptions: { autosave: false },
})
const database = new Database({ adapter, modelClasses: tables.map(({ name }) => class extends Model { static table = name }) })

const [stays, goes] = [await newVisit(company.anna), await newVisit(company.anna, 1)]
const handlers = melonHandlers({ server: SERVER, token: await enrol(company.anna), tables: names })
const sync = () => melonSync(synchronize, { database, handlers, migrationsEnabledAtVersion: 1 })
const entry = (values) => ({ id: randomUUID(), at: new Date().toISOString(), ...values })
const set = (record, values) => Object.entries(values).forEach(([column, value]) => record._setRaw(column, value))
const find = (table, id) => database.get(table).find(id)

async function change(table, id, values) {
  const record = await find(table, id)
  await database.write(() => record.update((each) => set(each, values)))
}

await sync()
const { events, notes } = (await find('visit', stays))._raw
await change('visit', stays, {
  events: JSON.stringify([...JSON.parse(events), entry({ type: 'started' })]),
  notes: JSON.stringify([...JSON.parse(notes), entry({ text: 'Ключ у администратора' })]),
  work_summary: 'Seal replaced',
})
await change('site', company.sites[0], { access_note: 'Side door' })
await office('change', { collection: 'site', id: company.sites[0], values: { danger_note: 'Dog' } })
await office('change', { collection: 'visit', id: stays, values: { work_summary: 'By the office' } })
await sync()
await change('visit', stays, { priority: 3 })
await office('publish', { visit: goes, technician: company.boris, start: '2026-11-25T08:00:00Z' })
await database.write(() =>
  database.get('visit').create((each) => {
    each._raw.id = randomUUID()
    set(each, { kind: 'repair_minor', site_id: company.sites[0], asset_ids: JSON.stringify([company.assets[0]]) })
  }),
)
await sync()
await sync()
process.exit(0)
