-- Release the claim on a company, unless another run holds it by now.
--
-- KEYS[1]: the claim's key.
-- ARGV[1]: the run that releases the claim.
-- Returns the number of deleted keys.

if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
