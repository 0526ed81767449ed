-- Ask for a turn: the permission to send the next request to a site.
--
-- KEYS[1]: the time of the next turn, in milliseconds since 1970.
-- KEYS[2]: the queue of single requests (kind `person`): a sorted set of throttle ids; the score is the time at which
--          an id expires, in milliseconds since 1970.
-- KEYS[3]: the circuit breaker, a hash: `until` and `reason` of the pause; `open` while the breaker is open; `probe`,
--          the time until which a probe may be in flight; `times`, the number of pauses in a row.
-- KEYS[4]: the throttle id that holds the current turn.
-- ARGV[1]: the id of the throttle that asks.
-- ARGV[2]: '1' for a single request, '0' for bulk work.
-- ARGV[3]: the longest time to hold a turn, in milliseconds.
-- ARGV[4]: the interval between requests, in milliseconds; 0 for no limit.
-- ARGV[5]: the maximum duration of a probe, in milliseconds.
-- Returns {'paused', until in milliseconds, reason}, {'wait', milliseconds} or {'turn', 1 if it is a probe else 0}.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Give no turn during a pause. After the pause, give none while another run's probe is in flight.
local paused = tonumber(redis.call('HGET', KEYS[3], 'until') or '0')
if paused > now then return {'paused', paused, redis.call('HGET', KEYS[3], 'reason')} end
local open = redis.call('HGET', KEYS[3], 'open')
if open then
  local probe = tonumber(redis.call('HGET', KEYS[3], 'probe') or '0')
  if probe > now then return {'paused', probe, redis.call('HGET', KEYS[3], 'reason')} end
end

if tonumber(ARGV[4]) > 0 then
  -- Single requests that stopped asking leave the queue, so that they do not block bulk work forever.
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
  local turn = tonumber(redis.call('GET', KEYS[1]) or '0')
  if turn > now then
    if ARGV[2] == '1' then
      redis.call('ZADD', KEYS[2], turn + 1000, ARGV[1])
      redis.call('PEXPIRE', KEYS[2], turn - now + 60000)
    end
    -- The holder may report its request earlier, so ask again after one interval at the latest.
    return {'wait', math.ceil(math.min(turn - now, tonumber(ARGV[4]) + 10))}
  end
  -- Bulk work gets no turn while a single request waits.
  if ARGV[2] ~= '1' and redis.call('ZCARD', KEYS[2]) > 0 then return {'wait', 20} end
  redis.call('ZREM', KEYS[2], ARGV[1])
  local hold = math.max(tonumber(ARGV[3]), tonumber(ARGV[4]))
  redis.call('SET', KEYS[1], now + hold, 'PX', math.ceil(hold) + 60000)
  redis.call('SET', KEYS[4], ARGV[1], 'PX', math.ceil(hold) + 60000)
end

-- The first request after a pause is the probe.
if open then redis.call('HSET', KEYS[3], 'probe', now + tonumber(ARGV[5])) end
return {'turn', open and 1 or 0}
