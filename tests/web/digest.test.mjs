import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { canonical, compare, sums, valueOf, verify } from "../../server/web/technician/digest.js";

const vectors = JSON.parse(readFileSync(new URL("../vectors/digest.json", import.meta.url), "utf8"));

for (const { name, collection, id, version, document, text, value } of vectors) {
  test(`the vector "${name}" is what Python says`, async () => {
    assert.equal(canonical(document), text);
    assert.equal(await valueOf({ collection, id, version, body: document }), value);
  });
}

const bucketOf = (id) => id.slice(-2);

/** An office that answers for digests out of what a replica should hold. */
function office(documents) {
  const asked = [];
  const get = async (path) => {
    asked.push(path);
    const query = new URL(path, "http://office").searchParams;
    if (path.includes("/documents")) {
      return { changes: query.get("ids").split(",").map((id) => {
        const one = documents.find((each) => each.id === id);
        return one ? { op: "put", id, collection: one.collection, version: one.version, document: one.body } : { op: "drop", id, collection: null, version: null, reason: "not-needed", document: null };
      }) };
    }
    const values = await Promise.all(documents.map(async (one) => ({ ...one, value: await valueOf(one) })));
    const own = values.filter((one) => one.collection === query.get("collection"));
    if (query.get("buckets")) return { behind: false, documents: Object.fromEntries(own.filter((one) => query.get("buckets").split(",").includes(bucketOf(one.id))).map((one) => [one.id, [one.version, one.value]])) };
    if (query.get("collection")) return { behind: false, buckets: sums(own.map((one) => [bucketOf(one.id), one.value])) };
    return { behind: false, collections: sums(values.map((one) => [one.collection, one.value])) };
  };
  return { asked, get };
}

const document = (id, title, collection = "visit") => ({ collection, id, version: 1, body: { id, title } });

test("a flipped bit, a lost document and a stranger are found, and nothing else is asked for", async () => {
  const right = Array.from({ length: 40 }, (_, n) => document(`v${n + 10}`, `Visit ${n}`));
  const { get, asked } = office(right);
  const held = right.filter((one) => one.id !== "v12").map((one) => (one.id === "v31" ? { ...one, body: { ...one.body, title: "Vizit" } } : one));
  held.push(document("v99", "Stranger"), document("s99", "Stranger", "site"));
  assert.deepEqual((await compare(held, "c", get)).sort(), ["s99", "v12", "v31", "v99"]);
  assert.equal(asked.length, 5);
  assert.deepEqual(await compare(right, "c", get), []);
  assert.equal(asked.length, 6);
});

test("what is wrong is repaired, and that it is whole is proven anew", async () => {
  const right = [document("v10", "One"), document("v11", "Two")];
  const { get } = office(right);
  const held = new Map([["v10", document("v10", "Ohne")], ["v77", document("v77", "Stranger")]]);
  const repair = async (changes) => {
    for (const change of changes) {
      if (change.op === "drop") held.delete(change.id);
      else held.set(change.id, { collection: change.collection, id: change.id, version: change.version, body: change.document });
    }
  };
  const read = async () => ({ held: [...held.values()], cursor: "c" });
  assert.deepEqual(await verify({ read, pull: async () => {}, repair, get }), { whole: true, behind: false, repaired: 2, strangers: 1 });
  assert.deepEqual([...held.values()].map(({ body }) => body.title), ["One", "Two"]);
});

test("while the office has news there is nothing to compare", async () => {
  let pulls = 0;
  const found = await verify({ read: async () => ({ held: [], cursor: "c" }), pull: async () => void (pulls += 1), repair: async () => {}, get: async () => ({ behind: true }) });
  assert.deepEqual(found, { whole: false, behind: true, repaired: 0, strangers: 0 });
  assert.equal(pulls, 3);
});
