import { luaScript } from './script.js';

/** Acknowledgement and deletion in one step, after the commit: from then on the entry never existed for anyone. */
export const SETTLE = luaScript(
  'settle',
  `
-- KEYS[1]  stream
-- ARGV     group, id …
-- Returns  how many of the entries were in the stream (0 for those settled before; harmless to repeat)
-- Leaves alone: who owns the entries. They are committed; a second owner finds a duplicate.
local group = table.remove(ARGV, 1)
redis.call('XACK', KEYS[1], group, unpack(ARGV))
return redis.call('XDEL', KEYS[1], unpack(ARGV))
`,
);

/** The reaper: takes over what silent consumers left and what is due for another try. */
export const CLAIM_DUE = luaScript(
  'claim-due',
  `
-- KEYS[1]  stream
-- ARGV     group, consumer, count, leaseMs, retryMs, laterMs, maxDelayMs, name of waiting, name of parked
-- Returns  {{id, deliveries, {field, value, …}}, …}, oldest first; each delivery counted. At most one of them was
--          delivered before: should it kill the process, no other is counted with it
-- Leaves alone: entries of this consumer, entries not idle long enough. Drops pending ids whose entry was deleted.
local group, me, count = ARGV[1], ARGV[2], tonumber(ARGV[3])
local lease, retry, later, most = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local waiting, parked = ARGV[8], ARGV[9]
local found, start, seen, again = {}, '-', 0, false
while #found < count and seen < 4096 do
  local page = redis.call('XPENDING', KEYS[1], group, 'IDLE', math.min(lease, retry, later), start, '+', 128)
  for _, row in ipairs(page) do
    local id, owner, idle, deliveries = row[1], row[2], row[3], row[4]
    local delay
    if owner == parked then delay = later
    else
      delay = (owner == waiting) and retry or lease
      delay = math.min(delay * 2 ^ math.max(deliveries - 1, 0), math.max(most, delay))
    end
    if owner ~= me and idle >= delay and #found < count and not (again and deliveries > 0) then
      again = again or deliveries > 0
      local claimed = redis.call('XCLAIM', KEYS[1], group, me, 0, id, 'RETRYCOUNT', deliveries + 1)
      if claimed[1] then found[#found + 1] = { id, deliveries + 1, claimed[1][2] } end
    end
  end
  seen = seen + #page
  if #page < 128 then break end
  start = '(' .. page[#page][1]
end
return found
`,
);

/** The orphan sweep: what Redis gave to this consumer in a reply that never came. */
export const RECOVER_LOST = luaScript(
  'recover-lost',
  `
-- KEYS[1]  stream
-- ARGV     group, consumer, count, held id …
-- Returns  {{id, deliveries, {field, value, …}}, …}, oldest first; deliveries as they were
-- Leaves alone: the held entries and everything of other consumers. Drops pending ids whose entry was deleted.
local group, me, count = ARGV[1], ARGV[2], tonumber(ARGV[3])
local held = {}
for i = 4, #ARGV do held[ARGV[i]] = true end
local found = {}
for _, row in ipairs(redis.call('XPENDING', KEYS[1], group, '-', '+', count + #ARGV, me)) do
  if not held[row[1]] and #found < count then
    local claimed = redis.call('XCLAIM', KEYS[1], group, me, 0, row[1], 'RETRYCOUNT', math.max(row[4], 1))
    if claimed[1] then found[#found + 1] = { row[1], math.max(row[4], 1), claimed[1][2] } end
  end
end
return found
`,
);

/** Restarts the lease while a batch takes long. */
export const RENEW = luaScript(
  'renew',
  `
-- KEYS[1]  stream
-- ARGV     group, consumer, id …
-- Returns  those ids that the consumer still owns; their idle time is 0 again
-- Leaves alone: delivery counts, and ids that another consumer took over meanwhile.
local mine = {}
for i = 3, #ARGV do
  local row = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1)[1]
  if row and row[2] == ARGV[2] then
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'JUSTID')
    mine[#mine + 1] = ARGV[i]
  end
end
return mine
`,
);

/** Gives entries back so that anyone may try them when they are due. */
export const HAND_BACK = luaScript(
  'hand-back',
  `
-- KEYS[1]  stream
-- ARGV     group, consumer, then for each entry: id, new owner, idle ms, deliveries
-- Returns  how many were handed back
-- Leaves alone: ids that another consumer took over meanwhile, and the stream itself.
local given = 0
for i = 3, #ARGV, 4 do
  local row = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1)[1]
  if row and row[2] == ARGV[2] then
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[i + 1], 0, ARGV[i], 'IDLE', ARGV[i + 2], 'RETRYCOUNT', ARGV[i + 3], 'JUSTID')
    given = given + 1
  end
end
return given
`,
);

/** Removes names of consumers. Deleting a consumer drops its pending list, so only an empty one may go: check and act are one. */
export const FORGET = luaScript(
  'forget',
  `
-- KEYS[1]  stream
-- ARGV     group, a consumer's name or '', silent ms, name of waiting, name of parked
-- Returns  how many names were removed: the one named, or all silent for so long, and the pseudo consumers
-- Leaves alone: every consumer with something pending.
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local removed = 0
for _, info in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local fact = {}
  for i = 1, #info, 2 do fact[info[i]] = info[i + 1] end
  local chosen
  if ARGV[2] ~= '' then chosen = fact.name == ARGV[2]
  else chosen = fact.idle >= tonumber(ARGV[3]) or fact.name == ARGV[4] or fact.name == ARGV[5] end
  if chosen and fact.pending == 0 then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], fact.name)
    removed = removed + 1
  end
end
return removed
`,
);

/** One look at a queue stream, for gauges and admission. */
export const DEPTH = luaScript(
  'depth',
  `
-- KEYS[1]  stream
-- ARGV     group, name of waiting, name of parked
-- Returns  {length, pending, waiting, bytes, id of the oldest entry or '', id of the oldest unread entry or ''}
-- Leaves alone: everything. Bytes are Redis's estimate by samples.
local length = redis.call('XLEN', KEYS[1])
if length == 0 then return { 0, 0, 0, 0, '', '' } end
local bytes = redis.call('MEMORY', 'USAGE', KEYS[1]) or 0
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
local pending, waiting, unread = 0, 0, first
local groups = redis.call('XINFO', 'GROUPS', KEYS[1])
for _, info in ipairs(groups) do
  local fact = {}
  for i = 1, #info, 2 do fact[info[i]] = info[i + 1] end
  if fact.name == ARGV[1] then
    pending = fact.pending
    unread = redis.call('XRANGE', KEYS[1], '(' .. fact['last-delivered-id'], '+', 'COUNT', 1)[1]
    if pending > 0 then
      for _, owner in ipairs(redis.call('XPENDING', KEYS[1], ARGV[1])[4] or {}) do
        if owner[1] == ARGV[2] or owner[1] == ARGV[3] then waiting = waiting + tonumber(owner[2]) end
      end
    end
  end
end
return { length, pending, waiting, bytes, first and first[1] or '', unread and unread[1] or '' }
`,
);
