// Reads each file with hyparquet, and prints what cells.py describes.

import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

// They are installed in a folder of their own, not beside this script.
const { resolve } = createRequire(join(process.env.READER, 'package.json'))
const load = (name) => import(pathToFileURL(resolve(name)))
const { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } = await load('hyparquet')
const { compressors } = await load('hyparquet-compressors')

// By default an instant becomes a Date, which holds milliseconds.
const parsers = { timestampFromMicroseconds: (micros) => micros }

// What JSON cannot hold, or what JavaScript's JSON leaves out, becomes text.
function cell(value) {
  if (value === undefined) return null
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Date) return value.toISOString().slice(0, 10)
  return Object.is(value, -0) ? '-0.0' : value
}

for (const path of process.argv.slice(2)) {
  const file = await asyncBufferFromFile(path)
  const metadata = await parquetMetadataAsync(file, { parsers })
  const rows = await parquetReadObjects({ file, metadata, compressors, parsers })
  const columns = {}
  const statistics = {}
  metadata.schema.slice(1).forEach(({ name, type }, index) => {
    columns[name] = rows.map((row) => cell(row[name]))
    // These files have one row group, or none.
    if (type !== 'DOUBLE' || metadata.row_groups.length !== 1) return
    const seen = metadata.row_groups[0].columns[index].meta_data.statistics
    statistics[name] = [cell(seen.min_value), cell(seen.max_value), Number(seen.null_count)]
  })
  console.log(JSON.stringify({ columns, statistics }))
}
