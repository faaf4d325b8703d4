// Two tablets with WatermelonDB as it comes from npm, and the office. Cites S-130 to S-139.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'

import { melonColumn, melonHandlers, melonSync, melonTables } from '../../docs/how-to/stock-clients.mjs'
import { SERVER, clashes, contract, edit, enrol, furnished, give, journal, newSite, newVisit, people, read } from './office.mjs'

const require = createRequire(import.meta.url)
const { Database, Model, appSchema, tableSchema } = require('@nozbe/watermelondb')
const { synchronize } = require('@nozbe/watermelondb/sync')
const { schemaMigrations, addColumns, createTable } = require('@nozbe/watermelondb/Schema/migrations')
const LokiJSAdapter = require('@nozbe/watermelondb/adapters/lokijs').default
const { LokiMemoryAdapter } = require('lokijs')
const logger = require('@nozbe/watermelondb/utils/common/logger').default

// The library says on its error log what it takes for a mistake of the server.
logger.silence()
const complaints = []
logger.error = (...words) => complaints.push(words.join(' '))

const names = Object.keys(contract.collections)

function opened(tables, { version = 1, migrations, store = new LokiMemoryAdapter() } = {}) {
  const schema = appSchema({ version, tables: tables.map(tableSchema) })
  const adapter = new LokiJSAdapter({
    schema,
    migrations: migrations ?? schemaMigrations({ migrations: [] }),
    useWebWorker: false,
    useIncrementalIndexedDB: true,
    dbName: 'rounds',
    _testLokiAdapter: store,
    extraLokiOptions: { autosave: false },
  })
  const modelClasses = tables.map(({ name }) => class extends Model { static table = name })
  return new Database({ adapter, modelClasses })
}

/** A tablet: its database, and its exchange with the server. */
async function tablet(technicianId, { tables = names, limit } = {}) {
  const device = await enrol(technicianId)
  const handlers = melonHandlers({ server: SERVER, token: device.token, tables, limit, fetch: device.net.fetch })
  const made = { ...device, handlers, database: opened(melonTables(contract, tables)) }
  made.sync = (options = {}) =>
    melonSync(synchronize, { database: made.database, handlers, migrationsEnabledAtVersion: 1, ...options })
  made.find = async (table, id) => made.database.get(table).find(id).catch(() => undefined)
  made.get = async (table, id) => (await made.find(table, id))?._raw
  made.ids = async (table) => (await made.database.get(table).query().fetchIds()).sort()
  made.change = async (table, id, values) => {
    const record = await made.find(table, id)
    await made.database.write(() =>
      record.update((each) => Object.entries(values).forEach(([column, value]) => each._setRaw(column, value))),
    )
  }
  return made
}

let anna
let boris

before(async () => {
  anna = await tablet(people.anna)
  boris = await tablet(people.boris)
})

after(() => assert.deepEqual(complaints, []))

/** A site that both tablets have. */
async function sharedSite() {
  const site = await newSite()
  await newVisit(site, people.anna)
  await newVisit(site, people.boris)
  await anna.sync()
  await boris.sync()
  return site
}

test('tables made from the contract take all that the server sends', async () => {
  await newVisit(furnished.site, people.anna, { asset_ids: [furnished.asset] })
  await anna.sync()
  for (const name of names) assert.ok((await anna.ids(name)).length > 0, name)
  const asset = await anna.get('asset', furnished.asset)
  assert.deepEqual([asset._status, asset.version, asset.in_service, asset.recent_visits], ['synced', 1, true, '[]'])
})

test('disjoint fields of two tablets merge', async () => {
  const site = await sharedSite()
  await anna.change('site', site, { access_note: 'Side door' })
  await boris.change('site', site, { danger_note: 'Dog', tags: JSON.stringify(['dog']) })
  await anna.sync()
  await boris.sync()
  await anna.sync()
  for (const each of [anna, boris]) {
    const { access_note, danger_note, tags } = await each.get('site', site)
    assert.deepEqual([access_note, danger_note, tags], ['Side door', 'Dog', '["dog"]'])
  }
  assert.deepEqual(await clashes(site), [])
})

test('a clash in one field is recorded with its base and both values', async () => {
  const site = await sharedSite()
  await anna.change('site', site, { access_note: 'Side door' })
  await boris.change('site', site, { access_note: 'By the lift' })
  await anna.sync()
  await boris.sync()
  await anna.sync()
  const found = await clashes(site)
  assert.deepEqual(found.map(({ base, mine, theirs }) => [base, mine, theirs]), [['Ring', 'By the lift', 'Side door']])
  const stands = (await read('sites', site)).access_note
  assert.equal((await anna.get('site', site)).access_note, stands)
  assert.equal((await boris.get('site', site)).access_note, stands)
})

test('what a client that only knows the plain form settled by itself is on record', async () => {
  const site = await sharedSite()
  await anna.change('site', site, { access_note: 'Side door' })
  await edit('sites', site, { access_note: 'By the lift' })
  const { pullChanges, pushChanges } = anna.handlers
  await synchronize({ database: anna.database, pullChanges, pushChanges })
  const [settled] = await clashes(site)
  assert.deepEqual([settled.base, settled.mine, settled.theirs, settled.state], ['Ring', 'Side door', 'By the lift', 'settled'])
  assert.equal((await read('sites', site)).access_note, 'Side door')
})

test('work on a visit folds to its state on both sides', async () => {
  const visit = await newVisit(await newSite(), people.anna)
  await anna.sync()
  const event = (type) => ({ id: randomUUID(), type, at: new Date().toISOString() })
  const first = [event('started')]
  await anna.change('visit', visit, { events: JSON.stringify(first) })
  await anna.sync()
  const kept = JSON.parse((await anna.get('visit', visit)).events)
  assert.deepEqual([kept.length, kept[0].by_name, (await anna.get('visit', visit)).exec_state], [1, 'Anna', 'working'])
  await anna.change('visit', visit, { events: JSON.stringify([...kept, event('done')]), work_summary: 'Done' })
  await anna.sync()
  assert.deepEqual([(await read('visits', visit)).exec_state, (await anna.get('visit', visit)).exec_state], ['done', 'done'])
})

test('a record made on the tablet reaches everybody and keeps its id there', async () => {
  const site = await sharedSite()
  const record = await anna.database.write(() =>
    anna.database.get('visit').create((each) => {
      each._setRaw('kind', 'repair_minor')
      each._setRaw('site_id', site)
      each._setRaw('work_summary', 'Leak')
    }),
  )
  assert.doesNotMatch(record.id, /-/)
  anna.net.lose = 1
  await assert.rejects(anna.sync())
  await anna.sync()
  const made = await anna.get('visit', record.id)
  assert.deepEqual([made._status, made.number.slice(0, 2), made.assignee_id], ['synced', 'V-', people.anna])
  await anna.change('visit', record.id, { work_summary: 'Leak, gasket changed' })
  await anna.sync()
  const mine = (await journal(anna.token)).at(-1)
  assert.equal((await read('visits', mine.document_id)).work_summary, 'Leak, gasket changed')
  assert.equal((await anna.ids('visit')).filter((id) => id === mine.document_id).length, 0)
})

test('lost answers of pushes and pulls: nothing is doubled, nothing newer is overwritten', async () => {
  const site = await sharedSite()
  await anna.change('site', site, { access_note: 'B' })
  anna.net.lose = 1
  await assert.rejects(anna.sync())
  await edit('sites', site, { access_note: 'C', danger_note: 'Dog' })
  anna.net.lose = 1
  anna.net.losing = 'GET'
  await assert.rejects(anna.sync())
  anna.net.losing = 'POST'
  await edit('sites', site, { contact_name: 'Eva' })
  await anna.sync()
  const { access_note, danger_note, contact_name } = await anna.get('site', site)
  assert.deepEqual([access_note, danger_note, contact_name], ['C', 'Dog', 'Eva'])
  assert.equal((await journal(anna.token)).filter((each) => each.document_id === site).length, 1)
})

test('a server that is busy or away delays and loses nothing', async () => {
  const site = await sharedSite()
  await anna.change('site', site, { access_note: 'Side door' })
  anna.net.away = true
  await assert.rejects(anna.sync())
  anna.net.away = false
  for (let n = 0; n < 3; n += 1) {
    anna.net.busy = 1
    await assert.rejects(anna.sync(), /busy/)
  }
  await anna.sync()
  assert.equal((await read('sites', site)).access_note, 'Side door')
})

test('a removal while there is an unsent edit: the record goes, the edit is on record', async () => {
  const visit = await newVisit(await newSite(), people.anna)
  await anna.sync()
  await anna.change('visit', visit, { work_summary: 'Gasket changed' })
  await give(visit, people.boris)
  await anna.sync()
  assert.equal(await anna.get('visit', visit), undefined)
  assert.equal((await read('visits', visit)).work_summary, 'Gasket changed')
  assert.deepEqual((await journal(anna.token)).at(-1).payload.set, { work_summary: 'Gasket changed' })
})

test('what does not stand is on record, and the tablet shows what stands', async () => {
  const site = await sharedSite()
  const visit = (await anna.ids('visit'))[0]
  await anna.change('site', site, { name: 'Another name' })
  await anna.database.write(async () => (await anna.find('visit', visit)).markAsDeleted())
  await anna.sync()
  const [proposal] = await clashes(site)
  assert.deepEqual([proposal.field, proposal.mine, proposal.chosen], ['name', 'Another name', 'theirs'])
  assert.equal((await anna.get('site', site)).name, (await read('sites', site)).name)
  assert.equal((await anna.get('visit', visit))._status, 'synced')
})

test('reassignment moves a visit and its site from one tablet to the other', async () => {
  const site = await newSite()
  const visit = await newVisit(site, people.anna)
  await anna.sync()
  await boris.sync()
  assert.ok(await anna.get('visit', visit))
  await give(visit, people.boris)
  await anna.sync()
  await boris.sync()
  assert.deepEqual([await anna.get('visit', visit), await anna.get('site', site)], [undefined, undefined])
  assert.equal((await boris.get('site', site)).id, site)
  await give(visit, people.anna)
  await anna.sync()
  assert.equal((await anna.get('site', site)).id, site)
})

test('a first sync in parts brings all', async () => {
  for (let n = 0; n < 6; n += 1) await newVisit(await newSite(), people.boris)
  await boris.sync()
  const small = await tablet(people.boris, { limit: 5 })
  await small.sync()
  assert.ok(small.net.requests.length > 5)
  for (const name of names) assert.deepEqual(await small.ids(name), await boris.ids(name), name)
})

test('a new version of the app gets its new table and column whole', async () => {
  const site = await sharedSite()
  await edit('sites', site, { danger_note: 'Dog' })
  const device = await enrol(people.anna)
  const [whole] = melonTables(contract, ['site'])
  const old = { ...whole, columns: whole.columns.filter(({ name }) => name !== 'danger_note') }
  const store = new LokiMemoryAdapter()
  const first = opened([old], { store })
  const handlers = melonHandlers({ server: SERVER, token: device.token, tables: ['site', 'visit'], fetch: device.net.fetch })
  await melonSync(synchronize, { database: first, handlers, migrationsEnabledAtVersion: 1 })
  const record = await first.get('site').find(site)
  assert.equal(record._raw.danger_note, undefined)
  await first.write(() => record.update((each) => each._setRaw('access_note', 'Side door')))
  await new Promise((resolve, reject) =>
    first.adapter.underlyingAdapter._driver.loki.saveDatabase((error) => (error ? reject(error) : resolve())),
  )
  const [visits] = melonTables(contract, ['visit'])
  const migrations = schemaMigrations({
    migrations: [
      {
        toVersion: 2,
        steps: [
          addColumns({ table: 'site', columns: [melonColumn('danger_note', contract.collections.site.fields.danger_note)] }),
          createTable(visits),
        ],
      },
    ],
  })
  const second = opened([whole, visits], { version: 2, migrations, store })
  await melonSync(synchronize, { database: second, handlers, migrationsEnabledAtVersion: 1 })
  const { danger_note, access_note } = (await second.get('site').find(site))._raw
  assert.deepEqual([danger_note, access_note], ['Dog', 'Side door'])
  assert.equal((await read('sites', site)).access_note, 'Side door')
  await anna.sync()
  assert.deepEqual((await second.get('visit').query().fetchIds()).length, (await anna.ids('visit')).length)
})

test('no error that the server answers with is JSON', async () => {
  const { pullChanges, pushChanges } = melonHandlers({ server: SERVER, token: 'wrong', fetch: anna.net.fetch })
  await assert.rejects(pullChanges({ lastPulledAt: null, schemaVersion: 1, migration: null }), /unauthenticated/)
  await assert.rejects(pushChanges({ changes: {}, lastPulledAt: 1 }), /unauthenticated/)
  const ours = melonHandlers({ server: SERVER, token: anna.token, fetch: anna.net.fetch })
  await assert.rejects(ours.pushChanges({ changes: [], lastPulledAt: 1 }), /broken-json/)
  await assert.rejects(ours.pullChanges({ lastPulledAt: 'x', schemaVersion: 1, migration: null }), /invalid-fields/)
  assert.ok(anna.net.errors.length >= 4)
  for (const { type, text } of anna.net.errors) {
    assert.match(type, /^text\/plain/)
    assert.throws(() => JSON.parse(text))
  }
})
