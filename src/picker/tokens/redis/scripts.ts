import { createHash } from 'node:crypto';

/** A script and the name by which the store knows it once it was sent. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
}

function script(lua: string): Script {
  return { lua, sha: createHash('sha1').update(lua).digest('hex') };
}

/**
 * The sliding window of `sliding-window.ts` on a hash of three numbers, and a sorted set of what is set aside, by the time at which it is
 * given back if nobody settles it: a picker that dies leaks nothing. The store's clock is the only one. Of a calendar, which Lua has none of,
 * pickers say the window under way (`LimitWindow.forScript`), and the script finds out whether it has turned.
 */
const COMMON = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function settle(use, window, reserved, actual)
  local difference = actual - reserved
  if difference >= 0 or window >= use.w then use.c = use.c + difference
  elseif window == use.w - 1 then use.p = math.max(0, use.p + difference) end
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
local function load(key, amount, given)
  local stored = redis.call('HMGET', key, 'w', 'c', 'p')
  local use = { w = tonumber(stored[1]) or 0, c = tonumber(stored[2]) or 0, p = tonumber(stored[3]) or 0 }
  local window
  window, use.elapsed, use.length = windowAt(given)
  local passed = window - use.w
  if passed > 0 then
    use.p = math.max(0, use.c + math.max(0, use.p - amount) - (passed - 1) * amount)
    use.c = 0
    use.rolled = true
  end
  use.w = window
  return use
end
local function giveBack(use, open)
  local lost = redis.call('ZRANGEBYSCORE', open, '-inf', now, 'LIMIT', 0, 32)
  for _, member in ipairs(lost) do
    local reserved, reservedWindow = string.match(member, '|(%d+)|(%d+)$')
    settle(use, tonumber(reservedWindow), tonumber(reserved), 0)
    redis.call('ZREM', open, member)
    use.changed = true
  end
end
local function save(key, use, amount)
  local length = use.length
  if length == 0 and use.c <= 0 then
    redis.call('DEL', key)
    return
  end
  redis.call('HSET', key, 'w', use.w, 'c', use.c, 'p', use.p)
  -- what was set when the window began is long enough unless there is debt
  if use.rolled or length == 0 or use.c + use.p > amount then
    redis.call('PEXPIRE', key, length == 0 and 3600000 or (2 + math.ceil((use.c + use.p) / amount)) * length)
  end
end
`;

/**
 * KEYS: the pickers; for each rule its use and what is set aside.
 * ARGV: id, milliseconds until it is given back, picker (empty: it has said so lately), milliseconds until a silent picker counts as gone, output tokens, least output
 * tokens; for each rule its amount, window (milliseconds, 0: at one time), what counts whatever is answered, what an output token counts,
 * and 0, 1 (refuses nothing) or 2 (cuts the output).
 * Answers: 1 when granted, pickers (0 where it was not asked), the store's time, output tokens that fit (-1: any number); for each rule 1 where it has no room, window,
 * current, previous, charge. As `fitCharges` in `standing.ts`.
 */
export const RESERVE = script(`${COMMON}
local pickers = 0
if ARGV[3] ~= '' then
  redis.call('ZADD', KEYS[1], now + ARGV[4], ARGV[3])
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
  pickers = redis.call('ZCARD', KEYS[1])
end
local rules = {}
local bound = math.huge
for i = 1, (#KEYS - 1) / 2 do
  local at = 6 + (i - 1) * 5
  local rule = { amount = tonumber(ARGV[at + 1]), window = ARGV[at + 2], fixed = tonumber(ARGV[at + 3]),
    weight = tonumber(ARGV[at + 4]), mode = ARGV[at + 5], key = KEYS[2 * i], open = KEYS[2 * i + 1] }
  local use = load(rule.key, rule.amount, rule.window)
  giveBack(use, rule.open)
  rule.use = use
  rule.free = rule.amount - math.min(use.p, rule.amount) * (1 - use.elapsed) - math.max(0, use.p - rule.amount) - use.c
  if rule.mode == '2' then bound = math.min(bound, math.floor((math.floor(rule.free) - rule.fixed) / rule.weight)) end
  rules[i] = rule
end
local output = tonumber(ARGV[5])
output = math.max(math.min(output, tonumber(ARGV[6])), math.min(output, bound))
local answer = { 1, pickers, now, bound == math.huge and -1 or math.max(0, bound) }
for _, rule in ipairs(rules) do
  local charge = math.floor(rule.fixed + rule.weight * output + 0.5)
  if rule.mode ~= '1' then charge = math.min(charge, rule.amount) end
  local refuses = charge > rule.free and 1 or 0
  if refuses == 1 and rule.mode ~= '1' then answer[1] = 0 end
  rule.charge = charge
  for _, number in ipairs({ refuses, rule.use.w, rule.use.c, rule.use.p, charge }) do answer[#answer + 1] = number end
end
for _, rule in ipairs(rules) do
  local use = rule.use
  if answer[1] == 1 then
    use.c = use.c + rule.charge
    use.changed = true
    redis.call('ZADD', rule.open, now + ARGV[2], string.format('%s|%d|%d', ARGV[1], rule.charge, use.w))
    redis.call('PEXPIRE', rule.open, 2 * ARGV[2])
  end
  if use.changed then save(rule.key, use, rule.amount) end
end
return answer
`);

/**
 * KEYS: for each rule its use and what is set aside.
 * ARGV: id, 1 when this may be the second time; for each rule its amount, window, what was set aside, in which window, and
 * what was used.
 */
export const SETTLE = script(`${COMMON}
for i = 1, #KEYS / 2 do
  local at = 2 + (i - 1) * 5
  local amount = tonumber(ARGV[at + 1])
  local use = load(KEYS[2 * i - 1], amount, ARGV[at + 2])
  local known = redis.call('ZREM', KEYS[2 * i], ARGV[1] .. '|' .. ARGV[at + 3] .. '|' .. ARGV[at + 4])
  if known == 1 then settle(use, tonumber(ARGV[at + 4]), tonumber(ARGV[at + 3]), tonumber(ARGV[at + 5]))
  elseif ARGV[2] ~= '1' then use.c = use.c + ARGV[at + 5] end
  save(KEYS[2 * i - 1], use, amount)
end
return 1
`);
