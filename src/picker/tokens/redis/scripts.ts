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
 * given back if nobody settles it: a picker that dies leaks nothing. The store's clock is the only one.
 */
const COMMON = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function settle(use, window, reserved, actual)
  local difference = actual - reserved
  if difference >= 0 or window == use.w then use.c = use.c + difference
  elseif window == use.w - 1 then use.p = math.max(0, use.p + difference) end
end
local function load(key, open, amount, length)
  local stored = redis.call('HMGET', key, 'w', 'c', 'p')
  local use = { w = tonumber(stored[1]) or 0, c = tonumber(stored[2]) or 0, p = tonumber(stored[3]) or 0 }
  local window = math.floor(now / length)
  local passed = window - use.w
  if passed > 0 then
    use.p = math.max(0, use.c + math.max(0, use.p - amount) - (passed - 1) * amount)
    use.c = 0
    use.w = window
  end
  local lost = redis.call('ZRANGEBYSCORE', open, '-inf', now, 'LIMIT', 0, 32)
  for _, member in ipairs(lost) do
    local reserved, reservedWindow = string.match(member, '|(%d+)|(%d+)$')
    settle(use, tonumber(reservedWindow), tonumber(reserved), 0)
    redis.call('ZREM', open, member)
    use.changed = true
  end
  return use
end
local function save(key, use, amount, length)
  redis.call('HSET', key, 'w', use.w, 'c', use.c, 'p', use.p)
  redis.call('PEXPIRE', key, (2 + math.ceil((use.c + use.p) / amount)) * length)
end
`;

/**
 * KEYS: the pickers; for each rule its use and what is set aside.
 * ARGV: id, milliseconds until it is given back, picker, milliseconds until a silent picker counts as gone; for each rule its amount,
 * window in milliseconds, charge, and 1 for a shadow.
 * Returns granted (0 or 1), number of pickers, the store's time; for each rule 1 where it refuses, and its use before: window, current,
 * previous.
 */
export const RESERVE = script(`${COMMON}
redis.call('ZADD', KEYS[1], now + ARGV[4], ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local answer = { 1, redis.call('ZCARD', KEYS[1]), now }
local uses = {}
local rules = (#KEYS - 1) / 2
for i = 1, rules do
  local at = 4 + (i - 1) * 4
  local amount, length, charge = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local use = load(KEYS[2 * i], KEYS[2 * i + 1], amount, length)
  local elapsed = now / length - use.w
  local used = math.min(use.p, amount) * (1 - elapsed) + math.max(0, use.p - amount) + use.c
  local refuses = 0
  if used + charge > amount then
    refuses = 1
    if ARGV[at + 4] ~= '1' then answer[1] = 0 end
  end
  uses[i] = use
  local n = #answer
  answer[n + 1], answer[n + 2], answer[n + 3], answer[n + 4] = refuses, use.w, use.c, use.p
end
for i = 1, rules do
  local at = 4 + (i - 1) * 4
  local amount, length, charge = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local use = uses[i]
  if answer[1] == 1 then
    use.c = use.c + charge
    use.changed = true
    redis.call('ZADD', KEYS[2 * i + 1], now + ARGV[2], ARGV[1] .. '|' .. ARGV[at + 3] .. '|' .. string.format('%d', use.w))
    redis.call('PEXPIRE', KEYS[2 * i + 1], 2 * ARGV[2])
  end
  if use.changed then save(KEYS[2 * i], use, amount, length) end
end
return answer
`);

/**
 * KEYS: for each rule its use and what is set aside.
 * ARGV: id, 1 when this may be the second time; for each rule its amount, window in milliseconds, what was set aside, in which window, and
 * what was used.
 */
export const SETTLE = script(`${COMMON}
for i = 1, #KEYS / 2 do
  local at = 2 + (i - 1) * 5
  local amount, length = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local use = load(KEYS[2 * i - 1], KEYS[2 * i], amount, length)
  local known = redis.call('ZREM', KEYS[2 * i], ARGV[1] .. '|' .. ARGV[at + 3] .. '|' .. ARGV[at + 4])
  if known == 1 then settle(use, tonumber(ARGV[at + 4]), tonumber(ARGV[at + 3]), tonumber(ARGV[at + 5]))
  elseif ARGV[2] ~= '1' then use.c = use.c + ARGV[at + 5] end
  save(KEYS[2 * i - 1], use, amount, length)
end
return 1
`);
