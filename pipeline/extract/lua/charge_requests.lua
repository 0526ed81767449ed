-- Delay the next turn for requests that were sent without a turn.
--
-- KEYS[1]: the time of the next turn, in milliseconds since 1970.
-- ARGV[1]: the delay, in milliseconds.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local turn = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0')) + ARGV[1]
redis.call('SET', KEYS[1], turn, 'PX', math.ceil(turn - now) + 60000)
