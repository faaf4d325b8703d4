// The replication suite that the rxdb package ships, run against the server. Cites S-115.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'

process.env.DEFAULT_STORAGE = 'memory'
process.env.NODE_ENV = 'fast'
// The suite is written for mocha, whose functions are global.
Object.assign(globalThis, { describe, it })

const { addRxPlugin } = await import('rxdb')
const { RxDBDevModePlugin, disableWarnings } = await import('rxdb/plugins/dev-mode')
const { RxDBLocalDocumentsPlugin } = await import('rxdb/plugins/local-documents')
const { replicateRxCollection } = await import('rxdb/plugins/replication')
const { getRxStorageMemory } = await import('rxdb/plugins/storage-memory')
const { wrappedValidateAjvStorage } = await import('rxdb/plugins/validate-ajv')
const { runReplicationBaseTestSuite, setConfig } = await import('rxdb/plugins/test-utils')
const { rxHandlers } = await import('../../docs/how-to/stock-clients.mjs')

disableWarnings()
addRxPlugin(RxDBDevModePlugin)
addRxPlugin(RxDBLocalDocumentsPlugin)
setConfig({
  storage: {
    name: 'memory',
    getStorage: () => wrappedValidateAjvStorage({ storage: getRxStorageMemory() }),
    getPerformanceStorage: () => ({ storage: getRxStorageMemory(), description: 'memory' }),
    hasPersistence: true,
    hasMultiInstance: false,
    hasAttachments: false,
    hasReplication: true,
  },
})

const server = process.env.ROUNDS_URL
/** Tokens of tablets, by company: each test of the suite has a company of its own, each collection its own tablet. */
const companies = JSON.parse(process.env.ROUNDS_TOKENS)
let tokens = []
const tokenOf = new WeakMap()

/** The suite's documents go by their passport, ours by a UUID made of it. */
function idOf(passport) {
  const hex = createHash('sha1').update(passport).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** A tombstone tells nothing but the id: whose passport that was the tablet knows. */
const passports = new Map()

function outwards(document) {
  const id = idOf(document.passportId)
  passports.set(id, document.passportId)
  return { ...document, id }
}

function inwards({ id, version: _version, age, ...document }) {
  const known = { ...document, passportId: document._deleted ? passports.get(id) : document.passportId }
  return age == null ? known : { ...known, age }
}

function replicate(collection, live) {
  if (!tokenOf.has(collection)) tokenOf.set(collection, tokens.pop())
  const { pull, push } = rxHandlers({ server, token: tokenOf.get(collection), name: 'human' })
  return replicateRxCollection({
    collection,
    replicationIdentifier: 'rounds',
    live,
    pull: {
      handler: async (checkpoint, limit) => {
        const page = await pull.handler(checkpoint, limit)
        return { ...page, documents: page.documents.map(inwards) }
      },
    },
    push: {
      handler: async (rows) => {
        const sent = rows.map(({ newDocumentState, assumedMasterState }) => ({
          newDocumentState: outwards(newDocumentState),
          assumedMasterState: assumedMasterState && outwards(assumedMasterState),
        }))
        return (await push.handler(sent)).map(inwards)
      },
    },
  })
}

describe('rxdb', () => {
  runReplicationBaseTestSuite({
    startReplication: (collection) => replicate(collection, true),
    syncOnce: async (collection) => {
      const replication = replicate(collection, false)
      await replication.awaitInitialReplication()
    },
    getAllServerDocs: async () => {
      const { pull } = rxHandlers({ server, token: tokens[0], name: 'human' })
      return (await pull.handler({}, 1000)).documents
    },
    cleanUpServer: async () => {
      tokens = companies.pop()
      assert.ok(tokens)
    },
    softDeletes: true,
    isDeleted: (document) => document._deleted,
    getPrimaryOfServerDoc: (document) => document.passportId,
  })
})
