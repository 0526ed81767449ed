-- Acquire the claim on a company, or renew it.
--
-- KEYS[1]: the claim's key.
-- ARGV[1]: the run that asks for the claim.
-- ARGV[2]: the claim's time to live, in milliseconds.
-- ARGV[3]: a run whose claim may be taken over because that run has ended; '' if there is none.
-- Returns the run that has the claim now: ARGV[1], or another run, whose claim could not be taken over.

local holder = redis.call('GET', KEYS[1])
if not holder or holder == ARGV[1] or holder == ARGV[3] then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return ARGV[1]
end
return holder
