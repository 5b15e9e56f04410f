-- Takes one request from a bucket that all origins share.
-- KEYS[1]: when the bucket will be empty, microseconds since the Unix epoch by this server's clock.
-- ARGV: requests a second, requests at once. Answers: whether it is one too many, how many could follow, seconds.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local drop = 1000000 / ARGV[1]
local full = drop * ARGV[2]
local empty_at = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local fill = empty_at + drop - now
-- Times are whole microseconds: half of one is rounding.
if fill > full + 0.5 then
  return {1, 0, math.floor((fill - full) / 1000000) + 1}
end
redis.call('SET', KEYS[1], string.format('%.0f', empty_at + drop), 'PX', math.max(1, math.ceil(fill / 1000)))
return {0, math.max(0, math.floor((full - fill + 0.5) / drop)), math.floor(fill / 1000000) + 1}
