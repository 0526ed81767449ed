-- Report that the request of a turn was sent: the next turn comes one interval after that moment.
--
-- KEYS[1]: the time of the next turn, in milliseconds since 1970.
-- KEYS[2]: the throttle id that holds the current turn.
-- ARGV[1]: the id of the throttle that reports.
-- ARGV[2]: how long ago the request was sent, in milliseconds.
-- ARGV[3]: the interval between requests, in milliseconds.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local turn = now - ARGV[2] + ARGV[3]
if redis.call('GET', KEYS[2]) == ARGV[1] then
  redis.call('DEL', KEYS[2])
else
  -- The run reports so late that another run has the turn by now. So only delay the next turn, never advance it.
  turn = math.max(turn, tonumber(redis.call('GET', KEYS[1]) or '0'))
end
redis.call('SET', KEYS[1], turn, 'PX', math.ceil(ARGV[3]) + 60000)
