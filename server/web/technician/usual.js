// What a field mostly is: the office leaves it out of a document then (S-17). Lists, truths and nothing need no word.
/** @type {Record<string, Record<string, any>>} */
export const USUAL = {
  "visit": { "exec_state": "not_started", "plan_state": "published", "priority": 1 }
};
