-- Report the result of a request; open or close the circuit breaker accordingly.
--
-- KEYS[1]: the circuit breaker, a hash (see request_turn.lua).
-- KEYS[2]: the companies blocked in a row, a set.
-- KEYS[3]: the pauses of all hosts, a hash with one JSON object for each host. The API shows them.
-- ARGV[1]: the result: 'well', 'blocked' or 'unknown'.
-- ARGV[2]: what was fetched: a company's IDNO, or a path.
-- ARGV[3]: '1' if the request was the probe.
-- ARGV[4]: how many companies have to be blocked in a row until the breaker opens.
-- ARGV[5]: the length of the first pause, in milliseconds; it doubles with each pause in a row.
-- ARGV[6]: the longest pause, in milliseconds.
-- ARGV[7]: the pause after a 429, in milliseconds; 0 if the status was another one.
-- ARGV[8]: the host.
-- ARGV[9]: the reason for a pause, as users see it.
-- Returns 'opened', 'closed', 'paused' or ''.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local open, is_probe = redis.call('HGET', KEYS[1], 'open'), ARGV[3] == '1'

-- Pause the site; never shorten a pause. If `opened`, the breaker opens, and only a successful probe closes it.
local function pause(milliseconds, opened)
  local paused = math.max(now + milliseconds, tonumber(redis.call('HGET', KEYS[1], 'until') or '0'))
  redis.call('HSET', KEYS[1], 'until', string.format('%.0f', paused), 'reason', ARGV[9])
  if opened then redis.call('HSET', KEYS[1], 'open', 1) end
  redis.call('HDEL', KEYS[1], 'probe')
  redis.call('HSET', KEYS[3], ARGV[8], cjson.encode({['until'] = paused / 1000, reason = ARGV[9]}))
end

if ARGV[1] == 'well' then
  redis.call('DEL', KEYS[2])
  if open and is_probe then
    redis.call('DEL', KEYS[1])
    redis.call('HDEL', KEYS[3], ARGV[8])
    return 'closed'
  end
  -- A pause after a 429 needs no probe: it ends when its time is over. An open breaker stays open, because this request
  -- may have been sent before the pause.
  if not open and tonumber(redis.call('HGET', KEYS[1], 'until') or '0') <= now then
    redis.call('DEL', KEYS[1])
    redis.call('HDEL', KEYS[3], ARGV[8])
  end
  return ''
end

if ARGV[1] == 'blocked' then
  redis.call('SADD', KEYS[2], ARGV[2])
  redis.call('PEXPIRE', KEYS[2], ARGV[6])
  if is_probe or (not open and redis.call('SCARD', KEYS[2]) >= tonumber(ARGV[4])) then
    local times = redis.call('HINCRBY', KEYS[1], 'times', 1)
    pause(math.max(math.min(ARGV[5] * 2 ^ (times - 1), tonumber(ARGV[6])), tonumber(ARGV[7])), true)
    return 'opened'
  end
  if tonumber(ARGV[7]) > 0 then pause(tonumber(ARGV[7]), false) return 'paused' end
  return ''
end

-- A probe without a clear result: pause again, for the length of the first pause.
if is_probe then pause(tonumber(ARGV[5]), true) return 'opened' end
return ''
