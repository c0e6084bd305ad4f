import { createHash } from 'node:crypto';

/** A script and the name by which the store knows it once it was sent. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
}

/** Longer than answers take; what is set aside by a picker that died is free again after it. */
const RESERVATION_TTL_MS = 15 * 60_000;
/** How much later than that. */
const TIDY_INTERVAL_MS = 10_000;

function script(lua: string): Script {
  return { lua, sha: createHash('sha1').update(lua).digest('hex') };
}

/**
 * The windows of `limit-window.ts`, one hash a key: its window, what was used in it and in the one before, when to look for what is lost,
 * and by the id of each request under way what it has set aside, in which window, and when that is given back if nobody settles it: a
 * picker that dies leaks nothing. Few calls are made, because they are what the store's time goes into. The store's clock is the only one.
 * Of a calendar, which Lua has none of, pickers say the window under way (`LimitWindow.forScript`), and the script sees whether it has turned.
 */
const COMMON = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function settle(use, stored, actual)
  local reserved, window = string.match(stored, '^(%d+)|(%d+)|')
  local difference = actual - reserved
  window = tonumber(window)
  if difference >= 0 or window >= use.w then use.c = use.c + difference
  elseif window == use.w - 1 then
    use.p = math.max(0, use.p + difference)
    use.changed = true
  end
end
local function windowAt(given)
  local length = tonumber(given)
  if length == 0 then return 0, 0, 0 end
  if length then
    local window = math.floor(now / length)
    return window, now / length - window, length
  end
  local index, from, to = string.match(given, '^(%d+):(%d+):(%d+)$')
  index, from, to = tonumber(index), tonumber(from), tonumber(to)
  if now < from then index = index - 1 elseif now >= to then index = index + 1 end
  return index, 1, to - from
end
local function load(key, id, amount, given)
  local stored = redis.call('HMGET', key, 'w', 'c', 'p', 't', id)
  local use = { w = tonumber(stored[1]) or 0, c = tonumber(stored[2]) or 0, p = tonumber(stored[3]) or 0,
    t = tonumber(stored[4]) or 0, mine = stored[5] }
  local window
  window, use.elapsed, use.length = windowAt(given)
  local passed = window - use.w
  if passed > 0 then
    use.p = math.max(0, use.c + math.max(0, use.p - amount) - (passed - 1) * amount)
    use.c = 0
    use.rolled = true
  end
  use.changed = passed ~= 0
  use.w = window
  return use
end
local function giveBack(use, key)
  if use.t > now and use.t <= now + ${TIDY_INTERVAL_MS} then return end
  use.t = now + ${TIDY_INTERVAL_MS}
  use.changed, use.tidied = true, true
  local all = redis.call('HGETALL', key)
  for i = 1, #all, 2 do
    local ends = string.match(all[i + 1], '|(%d+)$')
    if ends and tonumber(ends) <= now then
      settle(use, all[i + 1], 0)
      redis.call('HDEL', key, all[i])
    end
  end
end
local function save(key, use, amount, ...)
  local length = use.length
  if length == 0 and use.c <= 0 then
    redis.call('DEL', key)
    return
  end
  if use.changed then redis.call('HSET', key, 'w', use.w, 'c', use.c, 'p', use.p, 't', use.t, ...)
  else redis.call('HSET', key, 'c', use.c, ...) end
  -- what was set when the window began is long enough unless there is debt
  if use.rolled or length == 0 or use.c + use.p > amount then
    redis.call('PEXPIRE', key, math.max(${2 * RESERVATION_TTL_MS}, (2 + math.ceil((use.c + use.p) / amount)) * length))
  end
end
`;

/**
 * KEYS: the pickers; for each rule its use.
 * ARGV: id, picker (empty: it has said so lately), milliseconds until a silent picker counts as gone, output tokens, least output tokens;
 * for each rule its amount, window (milliseconds, 0: at one time), what counts whatever is answered, what an output token counts, and
 * 0, 1 (refuses nothing) or 2 (cuts the output).
 * Answers: 1 when granted, pickers (0 where it was not asked), the store's time, output tokens that fit (-1: any number); for each rule 1
 * where it has no room, window, current, previous, charge. As `fitCharges` in `standing.ts`.
 */
export const RESERVE = script(`${COMMON}
local pickers = 0
if ARGV[2] ~= '' then
  redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[2])
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
  pickers = redis.call('ZCARD', KEYS[1])
end
local rules = {}
local bound = math.huge
for i = 1, #KEYS - 1 do
  local at = 5 + (i - 1) * 5
  local rule = { amount = tonumber(ARGV[at + 1]), fixed = tonumber(ARGV[at + 3]), weight = tonumber(ARGV[at + 4]),
    mode = ARGV[at + 5], key = KEYS[i + 1] }
  local use = load(rule.key, ARGV[1], rule.amount, ARGV[at + 2])
  giveBack(use, rule.key)
  rule.use = use
  rule.free = rule.amount - math.min(use.p, rule.amount) * (1 - use.elapsed) - math.max(0, use.p - rule.amount) - use.c
  if rule.mode == '2' then bound = math.min(bound, math.floor((math.floor(rule.free) - rule.fixed) / rule.weight)) end
  rules[i] = rule
end
local output = tonumber(ARGV[4])
output = math.max(math.min(output, tonumber(ARGV[5])), math.min(output, bound))
local answer = { 1, pickers, now, bound == math.huge and -1 or math.max(0, bound) }
for _, rule in ipairs(rules) do
  local charge = math.floor(rule.fixed + rule.weight * output + 0.5)
  if rule.mode ~= '1' then charge = math.min(charge, rule.amount) end
  local refuses = charge > rule.free and 1 or 0
  if refuses == 1 and rule.mode ~= '1' then answer[1] = 0 end
  rule.charge = charge
  local use, at = rule.use, #answer
  answer[at + 1], answer[at + 2], answer[at + 3], answer[at + 4], answer[at + 5] = refuses, use.w, use.c, use.p, charge
end
for _, rule in ipairs(rules) do
  local use = rule.use
  if answer[1] == 1 then
    use.c = use.c + rule.charge
    save(rule.key, use, rule.amount, ARGV[1], string.format('%d|%d|%d', rule.charge, use.w, now + ${RESERVATION_TTL_MS}))
  elseif use.tidied then save(rule.key, use, rule.amount) end
end
return answer
`);

/**
 * KEYS: for each rule its use.
 * ARGV: id, 1 when this may be the second time; for each rule its amount, window, and what was used.
 * Answers: for each rule by how much more it is used beyond its amount now.
 */
export const SETTLE = script(`${COMMON}
local function overdrawn(use, amount)
  return math.max(0, use.c + math.max(0, use.p - amount) - amount)
end
local debts = {}
for i, key in ipairs(KEYS) do
  local at = 2 + (i - 1) * 3
  local amount = tonumber(ARGV[at + 1])
  local use = load(key, ARGV[1], amount, ARGV[at + 2])
  local before = overdrawn(use, amount)
  if use.mine then
    settle(use, use.mine, tonumber(ARGV[at + 3]))
    redis.call('HDEL', key, ARGV[1])
  elseif ARGV[2] ~= '1' then use.c = use.c + ARGV[at + 3] end
  save(key, use, amount)
  debts[i] = math.max(0, overdrawn(use, amount) - before)
end
return debts
`);
