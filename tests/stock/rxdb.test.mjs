// Two tablets with RxDB as it comes from npm, and the office. Cites S-116 to S-123.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'

import { Subject } from 'rxjs'
import { addRxPlugin, createRxDatabase } from 'rxdb'
import { disableWarnings, RxDBDevModePlugin } from 'rxdb/plugins/dev-mode'
import { replicateRxCollection } from 'rxdb/plugins/replication'
import { getRxStorageMemory } from 'rxdb/plugins/storage-memory'
import { wrappedValidateAjvStorage } from 'rxdb/plugins/validate-ajv'

import { rxEvents, rxHandlers, rxSchema } from '../../docs/how-to/stock-clients.mjs'
import { SERVER, clashes, contract, edit, enrol, furnished, give, journal, newSite, newVisit, people, read, revoke, until } from './office.mjs'

disableWarnings()
addRxPlugin(RxDBDevModePlugin)

const RETRY_MS = 20
const opened = []
let anna
let boris

/** A tablet: its database with these collections, and a replication of each. */
async function tablet(technicianId, names = ['visit', 'site']) {
  const device = await enrol(technicianId)
  const storage = wrappedValidateAjvStorage({ storage: getRxStorageMemory() })
  const database = await createRxDatabase({ name: `rounds${randomUUID()}`, storage, multiInstance: false })
  await database.addCollections(Object.fromEntries(names.map((name) => [name, { schema: rxSchema(contract, name) }])))
  opened.push(database)
  const errors = []
  /**
   * Replicate all, whole: the stock client's one-shot form. Its push and its pull run at the same time, so that a page
   * which was read before the push may be applied after it; what the push led to comes with the next run.
   */
  const sync = async (batchSize = 100) => {
    for (const name of [...names, ...names]) {
      const handlers = rxHandlers({ server: SERVER, token: device.token, name, fetch: device.net.fetch })
      const replication = replicateRxCollection({
        collection: database[name],
        replicationIdentifier: `rounds-${name}`,
        live: false,
        retryTime: RETRY_MS,
        pull: { ...handlers.pull, batchSize },
        push: { ...handlers.push, batchSize },
      })
      replication.error$.subscribe((error) => errors.push(error))
      await replication.awaitInitialReplication()
      await replication.cancel()
    }
  }
  const get = async (name, id) => (await database[name].findOne(id).exec())?.toJSON()
  const change = async (name, id, values) => (await database[name].findOne(id).exec(true)).incrementalPatch(values)
  return { ...device, database, errors, sync, get, change }
}

before(async () => {
  anna = await tablet(people.anna)
  boris = await tablet(people.boris)
})

after(async () => {
  await Promise.all(opened.filter((database) => !database.closed).map((database) => database.close()))
})

/** A site that both tablets have. */
async function sharedSite() {
  const site = await newSite()
  await newVisit(site, people.anna)
  await newVisit(site, people.boris)
  await anna.sync()
  await boris.sync()
  return site
}

test('schemas made from the contract take all that the server sends', async () => {
  await newVisit(furnished.site, people.anna, { asset_ids: [furnished.asset] })
  const all = await tablet(people.anna, Object.keys(contract.collections))
  await all.sync()
  for (const name of Object.keys(contract.collections)) {
    const documents = await all.database[name].find().exec()
    assert.ok(documents.length > 0, name)
  }
  assert.deepEqual(all.errors, [])
  // More than thirteen open collections are a paid feature.
  await all.database.close()
})

test('disjoint fields of two tablets merge', async () => {
  const site = await sharedSite()
  await anna.change('site', site, { access_note: 'Side door' })
  await boris.change('site', site, { danger_note: 'Dog', tags: ['dog'] })
  await anna.sync()
  await boris.sync()
  await anna.sync()
  for (const each of [anna, boris]) {
    const { access_note, danger_note, tags } = await each.get('site', site)
    assert.deepEqual({ access_note, danger_note, tags }, { access_note: 'Side door', danger_note: 'Dog', tags: ['dog'] })
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
  const [clash] = await clashes(site)
  assert.deepEqual([clash.base, clash.mine, clash.theirs], ['Ring', 'By the lift', 'Side door'])
  const stands = (await read('sites', site)).access_note
  assert.equal((await anna.get('site', site)).access_note, stands)
  assert.equal((await boris.get('site', site)).access_note, stands)
})

test('work on a visit folds to its state on both sides', async () => {
  const visit = await newVisit(await newSite(), people.anna)
  await anna.sync()
  const event = (type) => ({ id: randomUUID(), type, at: new Date().toISOString() })
  const document = await anna.database.visit.findOne(visit).exec(true)
  await document.incrementalModify((data) => ({ ...data, events: [...data.events, event('started')] }))
  await anna.sync()
  assert.equal((await anna.get('visit', visit)).exec_state, 'working')
  await document.getLatest().incrementalModify((data) => ({ ...data, events: [...data.events, event('done')] }))
  await anna.sync()
  const mine = await anna.get('visit', visit)
  assert.deepEqual([mine.exec_state, mine.events.length, mine.events[0].by_name], ['done', 2, 'Anna'])
  assert.equal((await read('visits', visit)).exec_state, 'done')
})

test('a visit made on the tablet gets what the server makes', async () => {
  const site = await sharedSite()
  const id = randomUUID()
  await anna.database.visit.insert({ id, kind: 'repair_minor', site_id: site, work_summary: 'Leak' })
  await anna.sync()
  const made = await anna.get('visit', id)
  assert.match(made.number, /^V-/)
  assert.deepEqual([made.assignee_id, made.work_summary], [people.anna, 'Leak'])
})

test('a lost answer: the push comes again, and nothing newer is overwritten', async () => {
  const site = await sharedSite()
  await anna.change('site', site, { access_note: 'B' })
  anna.net.lose = 1
  anna.net.held = async () => {}
  const office = edit.bind(null, 'sites', site, { access_note: 'C' })
  const lost = anna.net.fetch
  let written = false
  anna.net.fetch = async (url, options = {}) => {
    if (options.method === 'POST' && anna.net.lose === 0 && !written) {
      written = true
      await office()
    }
    return lost(url, options)
  }
  await anna.sync()
  anna.net.fetch = lost
  assert.ok(written)
  assert.equal((await read('sites', site)).access_note, 'C')
  assert.equal((await anna.get('site', site)).access_note, 'C')
  const own = (await journal(anna.token)).filter((each) => each.document_id === site)
  assert.deepEqual(own.map((each) => each.payload.set), [{ access_note: 'B' }])
})

test('answers of pulls that are lost, and a server that is busy, delay and lose nothing', async () => {
  const site = await sharedSite()
  await anna.change('site', site, { access_note: 'Side door' })
  await edit('sites', site, { danger_note: 'Dog' })
  const before = anna.errors.length
  anna.net.busy = 3
  anna.net.lose = 2
  anna.net.losing = 'GET'
  await anna.sync()
  anna.net.losing = 'POST'
  assert.ok(anna.errors.length >= before + 5)
  const now = await read('sites', site)
  assert.deepEqual([now.access_note, now.danger_note], ['Side door', 'Dog'])
  const mine = await anna.get('site', site)
  assert.deepEqual([mine.access_note, mine.danger_note], ['Side door', 'Dog'])
})

test('a removal while there is an unsent edit: the document goes, the edit is on record', async () => {
  const visit = await newVisit(await newSite(), people.anna)
  await anna.sync()
  await anna.change('visit', visit, { work_summary: 'Gasket changed' })
  await give(visit, people.boris)
  await anna.sync()
  assert.equal(await anna.get('visit', visit), undefined)
  assert.equal((await read('visits', visit)).work_summary, 'Gasket changed')
  assert.deepEqual((await journal(anna.token)).at(-1).payload.set, { work_summary: 'Gasket changed' })
  await anna.sync()
  assert.equal(await anna.get('visit', visit), undefined)
})

test('a proposal that does not stand is on record, and the tablet shows what stands', async () => {
  const site = await sharedSite()
  await anna.change('site', site, { name: 'Another name' })
  await anna.sync()
  const [proposal] = await clashes(site)
  assert.deepEqual([proposal.field, proposal.mine, proposal.chosen], ['name', 'Another name', 'theirs'])
  assert.equal((await anna.get('site', site)).name, (await read('sites', site)).name)
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
  assert.equal((await boris.get('visit', visit)).id, visit)
  assert.equal((await boris.get('site', site)).id, site)
  await give(visit, people.anna)
  await anna.sync()
  assert.equal((await anna.get('site', site)).id, site)
})

test('a removal that meets a push on its way is told once more', async () => {
  const visit = await newVisit(await newSite(), people.anna)
  await anna.sync()
  await anna.change('visit', visit, { work_summary: 'Gasket changed' })
  // The push is taken; while its answer is on its way the visit goes to somebody else, and a pull tells of that.
  const handlers = rxHandlers({ server: SERVER, token: anna.token, name: 'visit', fetch: anna.net.fetch })
  let pulls = 0
  let answered = () => {}
  const pulled = new Promise((resolve) => (answered = resolve))
  let taken = () => {}
  const pushed = new Promise((resolve) => (taken = resolve))
  const replication = replicateRxCollection({
    collection: anna.database.visit,
    replicationIdentifier: 'rounds-visit',
    live: true,
    retryTime: RETRY_MS,
    push: {
      handler: async (rows) => {
        const answer = await handlers.push.handler(rows)
        await give(visit, people.boris)
        taken()
        await pulled
        await new Promise((resolve) => setImmediate(resolve))
        return answer
      },
    },
    pull: {
      handler: async (checkpoint, limit) => {
        if (pulls === 0) await pushed
        const page = await handlers.pull.handler(checkpoint, limit)
        pulls += 1
        setImmediate(answered)
        return page
      },
    },
  })
  await replication.awaitInSync()
  replication.reSync()
  await replication.awaitInSync()
  await replication.cancel()
  assert.equal(await anna.get('visit', visit), undefined)
})

test('a first pull in small pages brings all', async () => {
  for (let n = 0; n < 12; n += 1) await newVisit(await newSite(), people.boris)
  const small = await tablet(people.boris)
  await small.sync(3)
  await boris.sync()
  for (const name of ['visit', 'site']) {
    const [few, many] = await Promise.all([small, boris].map((each) => each.database[name].find().exec()))
    assert.deepEqual(few.map((each) => each.toJSON()), many.map((each) => each.toJSON()))
  }
  assert.deepEqual(small.errors, [])
})

test('a stream that breaks again and again misses nothing', async () => {
  const site = await sharedSite()
  const live = await tablet(people.anna, ['site'])
  const handlers = rxHandlers({ server: SERVER, token: live.token, name: 'site', fetch: live.net.fetch })
  const stream$ = new Subject()
  const over = new AbortController()
  let line = new AbortController()
  let lines = 0
  const breaking = async (url, options) => {
    line = new AbortController()
    lines += 1
    return fetch(url, { ...options, signal: AbortSignal.any([over.signal, line.signal]) })
  }
  const replication = replicateRxCollection({
    collection: live.database.site,
    replicationIdentifier: 'rounds-live',
    live: true,
    retryTime: RETRY_MS,
    pull: { ...handlers.pull, stream$ },
    push: handlers.push,
  })
  const reader = (async () => {
    const events = rxEvents({ server: SERVER, token: live.token, name: 'site', signal: over.signal, pause: 20, fetch: breaking })
    for await (const event of events) stream$.next(event)
  })()
  await replication.awaitInitialReplication()
  await until(() => lines === 1)
  for (let n = 1; n <= 3; n += 1) {
    await edit('sites', site, { danger_note: `n${n}` })
    await until(async () => (await live.get('site', site))?.danger_note === `n${n}`)
    // While no line is open something else changes, which no later event is about.
    const missed = await newSite()
    line.abort()
    await newVisit(missed, people.anna)
    await until(async () => live.get('site', missed))
  }
  assert.ok(lines >= 4)
  await live.change('site', site, { access_note: 'Side door' })
  await until(async () => (await read('sites', site)).access_note === 'Side door')
  over.abort()
  await reader
  await replication.cancel()
})

test('after a restore the new baseline replaces what is here', async () => {
  const site = await sharedSite()
  const { sites } = await anna.database.addCollections({ sites: { schema: rxSchema(contract, 'site') } })
  await sites.insert({ id: randomUUID(), name: 'Lost', customer_id: randomUUID(), branch_id: randomUUID(), lat: 1, lon: 1, tz: 'UTC' })
  const handlers = rxHandlers({ server: SERVER, token: anna.token, name: 'site', collection: sites, fetch: anna.net.fetch })
  const { documents } = await handlers.pull.handler({ seq: 1, id: '', epoch: 'another' }, 2)
  const live = documents.filter((each) => !each._deleted)
  assert.deepEqual(live.map((each) => each.id).sort(), (await anna.database.site.find().exec()).map((each) => each.id))
  assert.ok(live.some((each) => each.id === site))
  assert.deepEqual(documents.filter((each) => each._deleted && each.name !== '-').map((each) => each.name), ['Lost'])
  await sites.close()
})

test('no error that the server answers with is JSON, and a revoked tablet gets nothing', async () => {
  const lost = await tablet(people.anna, ['site'])
  await lost.sync()
  await revoke(lost.id)
  const handlers = rxHandlers({ server: SERVER, token: lost.token, name: 'site', fetch: lost.net.fetch })
  await assert.rejects(handlers.pull.handler({}, 10), /device-revoked/)
  await assert.rejects(handlers.push.handler([]), /device-revoked/)
  const other = rxHandlers({ server: SERVER, token: anna.token, name: 'nothing', fetch: anna.net.fetch })
  await assert.rejects(other.pull.handler({}, 10), /not-found/)
  const answered = [anna, boris, lost].flatMap((each) => each.net.errors)
  assert.ok(answered.length >= 3)
  for (const { type, text } of answered) {
    assert.match(type, /^text\/plain/)
    assert.throws(() => JSON.parse(text))
  }
})
