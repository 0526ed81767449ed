-- Counts a request against one or two rate limits, and returns the cached rows and the record that the request needs.
--
-- A limit consists of items, each an amount per window, for example 5/minute and 30/hour. The first limit is always
-- counted. The second one is counted only if every copy exists and is valid; otherwise the caller has to read
-- PostgreSQL first. A request that exceeds an item is refused, and later items are not counted.
--
-- KEYS  one key per item of the first limit, then per item of the second, then per copy, then the record (if any)
-- ARGV  1: number of items of the first limit; 2: of the second (0: none); 3: number of copies;
--       4: number of the Redis database that holds the record, or '' if no record is wanted;
--       then two values per item: its amount, and its window in milliseconds
--
-- Returns {refused, first[, copies, second, record]}:
--   refused  number of the item that is exceeded, or 0
--   first    state of the exceeded item, or else of the first limit's first item: {previous, current, ms left}
--   copies   the value of each copy; false where there is none
--   second   state of the second limit's first item; false if it was not counted
--   record   the record; false if there is none or none was wanted

local first_items, second_items, copy_count = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local record_database = ARGV[4]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Counts the request against one item.
--
-- This approximates a sliding window by two fixed ones: requests of the previous window count in proportion to the
-- part of it that the sliding window still covers. The key holds "<start of the current window, ms> <requests in the
-- previous window> <requests in the current window>" and expires when both windows are too old to count.
local function count(item)
  local amount, window = tonumber(ARGV[3 + 2 * item]), tonumber(ARGV[4 + 2 * item])
  local start, previous, current = string.match(redis.call('GET', KEYS[item]) or '', '^(%d+) (%d+) (%d+)$')
  start, previous, current = tonumber(start or now), tonumber(previous or 0), tonumber(current or 0)
  if now >= start + 2 * window then
    start, previous, current = now, 0, 0
  elseif now >= start + window then
    start, previous, current = start + window, current, 0
  end
  -- At most the window, even if the start lies in the future because the clock was set back.
  local left = math.min(window, start + window - now)
  local allowed = math.floor(previous * left / window) + current < amount
  if allowed then
    current = current + 1
    local value = string.format('%.0f %.0f %.0f', start, previous, current)
    redis.call('SET', KEYS[item], value, 'PX', string.format('%.0f', left + window))
  end
  return allowed, {previous, current, left}
end

-- Counts the request against consecutive items. Returns the number and state of the exceeded item, or else 0 and the
-- state of the first item.
local function count_all(from, to)
  local first_state
  for item = from, to do
    local allowed, state = count(item)
    if not allowed then return item, state end
    first_state = first_state or state
  end
  return 0, first_state
end

local refused, first_state = count_all(1, first_items)
if refused > 0 then return {refused, first_state} end

local items = first_items + second_items
local copies = copy_count > 0 and redis.call('MGET', unpack(KEYS, items + 1, items + copy_count)) or {}
local second_state = false
if second_items > 0 then
  for _, copy in ipairs(copies) do
    -- '?' means "ask PostgreSQL", '-' means "has ended" (api/auth/cache.py).
    if not copy or copy == '?' or copy == '-' then return {0, first_state, copies} end
  end
  refused, second_state = count_all(first_items + 1, items)
  if refused > 0 then return {refused, second_state} end
end

local record = false
if record_database ~= '' then
  -- Within a script, SELECT changes the database of the script only, not that of the connection.
  redis.call('SELECT', record_database)
  record = redis.call('GET', KEYS[items + copy_count + 1])
end
return {0, first_state, copies, second_state, record}
