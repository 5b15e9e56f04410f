-- Counts one failed sign-in under every key; forgotten when nothing more fails for ARGV[1] milliseconds. Answers the
-- counts.
local counts = {}
for i, key in ipairs(KEYS) do
  counts[i] = redis.call('INCR', key)
  redis.call('PEXPIRE', key, ARGV[1])
end
return counts
