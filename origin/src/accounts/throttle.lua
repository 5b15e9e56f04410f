-- Counts one failed sign-in under every key; forgotten when nothing more fails for ARGV[1] milliseconds.
for _, key in ipairs(KEYS) do
  redis.call('INCR', key)
  redis.call('PEXPIRE', key, ARGV[1])
end
