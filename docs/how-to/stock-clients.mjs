// Schemas and handlers for RxDB and WatermelonDB, made from the contract that `GET /sync/v1/schema` answers with.
// Copy what you need. `docs/how-to/write-a-client.md` shows it at work; the tests run it.

// What a document of RxDB is called itself: a field of such a name has `_field` after it on these routes.
const RXDB_RESERVED = new Set('collection primary revision deleted populate get update modify patch remove close synced'.split(' '))

const JSON_TYPES = new Set(['list', 'object', 'any'])

/**
 * The RxDB schema of a collection.
 * RxDB counts schema versions from 0, the contract from 1. `version` is the document's, and must be kept: it says what
 * an edit was based on.
 * @param {any} contract what /sync/v1/schema answers
 * @param {string} collection
 */
export function rxSchema(contract, collection) {
  const { schema } = contract.collections[collection]
  const named = (/** @type {string} */ field) => (RXDB_RESERVED.has(field) ? `${field}_field` : field)
  const properties = Object.fromEntries(Object.entries(schema.properties).map(([field, each]) => [named(field), each]))
  return {
    title: collection,
    version: contract.schema_version - 1,
    primaryKey: 'id',
    type: 'object',
    properties: { ...properties, id: { type: 'string', maxLength: 36 }, version: { type: 'integer' } },
    required: schema.required.map(named),
  }
}

/**
 * The handlers of a collection for `replicateRxCollection({ collection, replicationIdentifier, ...rxHandlers(…) })`.
 * After a restore of the server the epoch is another one: then one page holds the whole new baseline, and the removal
 * of what `collection` has beside it. Unsent edits stay unsent, and are pushed.
 * @param {{server: string, token: string, name: string, version?: number, collection?: any,
 *   fetch?: typeof globalThis.fetch}} options
 */
export function rxHandlers({ server, token, name, version = 1, collection, fetch = globalThis.fetch }) {
  const base = `${server}/sync/rxdb/${name}/${version}`
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
  /** @param {any} checkpoint @param {number} limit */
  async function page(checkpoint, limit) {
    const answer = await fetch(`${base}/pull?${new URLSearchParams({ ...checkpoint, limit: String(limit) })}`, { headers })
    if (!answer.ok) throw new Error(await answer.text())
    return answer.json()
  }
  return {
    pull: {
      /** @param {any} checkpoint @param {number} limit */
      async handler(checkpoint, limit) {
        let pulled = await page(checkpoint, limit)
        if (!collection || !checkpoint?.epoch || pulled.checkpoint.epoch === checkpoint.epoch) return pulled
        const documents = pulled.documents
        while (pulled.documents.length >= limit) {
          pulled = await page(pulled.checkpoint, limit)
          documents.push(...pulled.documents)
        }
        const named = new Set(documents.map((/** @type {any} */ each) => each.id))
        const here = (await collection.find().exec()).map((/** @type {any} */ each) => each.toJSON())
        const gone = here.filter((/** @type {any} */ each) => !named.has(each.id))
        const tombstones = gone.map((/** @type {any} */ each) => ({ ...each, _deleted: true }))
        return { documents: [...documents, ...tombstones], checkpoint: pulled.checkpoint }
      },
    },
    push: {
      /** @param {any[]} rows */
      async handler(rows) {
        const clock = new URLSearchParams({ device_time: new Date().toISOString() })
        const answer = await fetch(`${base}/push?${clock}`, { method: 'POST', headers, body: JSON.stringify(rows) })
        if (!answer.ok) throw new Error(await answer.text())
        return answer.json()
      },
    },
  }
}

/**
 * The tables of a WatermelonDB schema: `appSchema({ version, tables: melonTables(contract).map(tableSchema) })`.
 * Lists and objects are JSON text in their columns; all columns but the compulsory ones may be empty.
 * @param {any} contract
 * @param {string[]} [names] the tables that the app wants; all of them by default
 */
export function melonTables(contract, names = Object.keys(contract.collections)) {
  return names.map((name) => ({
    name,
    columns: [
      { name: 'version', type: 'number', isOptional: true },
      ...Object.entries(contract.collections[name].fields).map(([column, field]) => melonColumn(column, field)),
    ],
  }))
}

/** @param {string} name @param {any} field */
export function melonColumn(name, field) {
  const type = field.type === 'boolean' ? 'boolean' : ['integer', 'number'].includes(field.type) ? 'number' : 'string'
  return { name, type, isOptional: !field.required || field.nullable, isIndexed: Boolean(field.refers_to) && !JSON_TYPES.has(field.type) }
}

/**
 * The handlers of `synchronize`, as the library's manual has them.
 * @param {{server: string, token: string, tables?: string[], limit?: number, fetch?: typeof globalThis.fetch}} options
 */
export function melonHandlers({ server, token, tables = [], limit, fetch = globalThis.fetch }) {
  const headers = { Authorization: `Bearer ${token}` }
  const wanted = { ...(tables.length ? { tables: tables.join() } : {}), ...(limit ? { limit: String(limit) } : {}) }
  let more = false
  return {
    more: () => more,
    /** @param {any} asked */
    async pullChanges({ lastPulledAt, schemaVersion, migration }) {
      const query = new URLSearchParams({
        ...wanted,
        last_pulled_at: String(lastPulledAt),
        schema_version: String(schemaVersion),
        migration: JSON.stringify(migration),
      })
      const answer = await fetch(`${server}/sync/watermelon?${query}`, { headers })
      if (!answer.ok) throw new Error(await answer.text())
      const pulled = await answer.json()
      more = pulled.more
      return pulled
    },
    /** @param {any} sent */
    async pushChanges({ changes, lastPulledAt, pushFirst = false }) {
      const query = new URLSearchParams({
        last_pulled_at: String(lastPulledAt),
        push_first: String(pushFirst),
        device_time: new Date().toISOString(),
      })
      const answer = await fetch(`${server}/sync/watermelon?${query}`, { method: 'POST', headers, body: JSON.stringify(changes) })
      if (!answer.ok) throw new Error(await answer.text())
    },
  }
}

/**
 * One exchange of WatermelonDB that loses nothing: first what was changed here, then what others changed, in as many
 * parts as the server hands out. The first round must not know of migrations, or the second would not fetch them.
 * @param {any} synchronize from '@nozbe/watermelondb/sync'
 * @param {any} options those of `synchronize`, with `handlers` of `melonHandlers`
 */
export async function melonSync(synchronize, { database, handlers, ...options }) {
  const first = new Error('nothing was pulled yet')
  try {
    await synchronize({
      database,
      pullChanges: async ({ lastPulledAt }) => {
        if (!lastPulledAt) throw first
        return { changes: {}, timestamp: lastPulledAt }
      },
      pushChanges: (sent) => handlers.pushChanges({ ...sent, pushFirst: true }),
    })
  } catch (error) {
    if (error !== first) throw error
  }
  do {
    await synchronize({ database, pullChanges: handlers.pullChanges, pushChanges: handlers.pushChanges, ...options })
  } while (handlers.more())
}

/**
 * The events of a stream, read with `fetch`, since `EventSource` cannot send a token; comes back with the last id when
 * the line breaks, until `signal` aborts. Each is `{ documents, checkpoint }`, for `pull.stream$`.
 * `pause` is how many milliseconds to wait before coming back, unless the server says it.
 * @param {{server: string, token: string, name: string, version?: number, signal: AbortSignal, pause?: number,
 *   fetch?: typeof globalThis.fetch}} options
 */
export async function* rxEvents({ server, token, name, version = 1, signal, pause = 1000, fetch = globalThis.fetch }) {
  let last = ''
  while (!signal.aborted) {
    let wait = pause
    try {
      /** @type {Record<string, string>} */
      const headers = { Authorization: `Bearer ${token}`, ...(last ? { 'Last-Event-ID': last } : {}) }
      const answer = await fetch(`${server}/sync/rxdb/${name}/${version}/stream`, { headers, signal })
      wait = Number(answer.headers.get('Retry-After') ?? 0) * 1000 || pause
      if (!answer.ok || !answer.body) throw new Error(await answer.text())
      let text = ''
      for await (const part of answer.body.pipeThrough(new TextDecoderStream())) {
        text += part
        const events = text.split('\n\n')
        text = events.pop() ?? ''
        for (const event of events) {
          const lines = Object.fromEntries(event.split('\n').map((line) => line.split(/: (.*)/s, 2)))
          if (lines.event || !lines.data) continue
          last = lines.id ?? last
          yield JSON.parse(lines.data)
        }
      }
      wait = 0
    } catch (error) {
      if (signal.aborted) return
    }
    await new Promise((resolve) => setTimeout(resolve, wait))
  }
}
