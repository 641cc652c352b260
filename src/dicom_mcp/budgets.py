"""What bounds memory, sizes, and answers: bytes unless a name says otherwise, each with its reason.

Bounds that tune one step (how many studies are compared, how many seconds a proof may take) stand
where the step is; how much may be asked in vain in `allowance`, what one data set may hold in
`standard.unfolding`. docs/limits.md is this page, tested against it.
"""

# An object on its way here: it is held twice while it is read, and a call has to stay below 300
# MiB. No more than this is fetched of a larger one, whose header is read.
LARGEST_OBJECT = 80 << 20

# An object that can be read at all: a tomosynthesis of 60 views has 400 MiB.
LARGEST_READ = 512 << 20

# What a deflated object unpacks to: it is one of text, or a small image.
LARGEST_INFLATED = 64 << 20

# Values of a frame that are decoded: the largest mammograms have 28 million. What a decoder
# takes for each, 4 to 8 bytes and the frame as it came, has to fit in MOST_TOGETHER.
MOST_SAMPLES = 32_000_000

# A frame fetched by itself: as many values of 16 bits.
LARGEST_FRAME = 80 << 20

# A frame as the archive's own picture, compressed.
LARGEST_RENDERED = 32 << 20

# Metadata of one object in JSON: an enhanced one describes thousands of frames.
LARGEST_METADATA = 64 << 20

# One match, over DIMSE or in JSON: it has a few hundred bytes, with every attribute some thousand.
LARGEST_MATCH = 4 << 20

# All of one answer in JSON: a server that ignores the limit may send every study it has.
LARGEST_ANSWER_IN_JSON = 512 << 20

# What may be held of the matches of one answer, of a worklist too, as they came. 500 matches with
# every attribute of the extended preset are under 2 MiB; as Python objects bytes take up to ten
# times their room.
MOST_HELD = 8 << 20

# Repeated matches in a row, as they came: more than any list asked again in parts has.
LARGEST_REPEATED = 32 << 20

# Matches in a row that are not what was asked for, of an archive that ignores a key: it may hold
# as many in honesty, and one that goes on for ever is stopped.
LARGEST_FOREIGN = 64 << 20

# What calls hold, what is kept for the next question and what processes apart take, all together:
# with the server at rest (104 MiB with all it has loaded, and 8 for a process that waits) it is
# below 400 MiB. What is kept makes room; calls wait their turn (decisions/0037).
MOST_TOGETHER = 288 << 20

# What of it calls have in hand beside the one that came first: that one may have as much as an
# object may. An object counts twice, as it is held while it comes.
MOST_IN_HAND = 16 << 20

# Objects that came and wait for those before them, in one retrieval.
MOST_SET_ASIDE = 64 << 20

# Objects in a row that nobody asked for, of an archive that sends a whole study for a few of its
# images: one that goes on for ever is stopped.
MOST_UNASKED = 5_000
LARGEST_UNASKED = 2048 << 20

# Objects kept for the next question, and for how long: somebody scrolls through a series.
MOST_KEPT = 64 << 20
SECONDS_KEPT = 300.0

# Reports kept while they are read in pages.
MOST_REPORTS_KEPT = 32 << 20

# Processes apart at once: more decode nothing sooner, they want processors. Each counts with what
# its interpreter and libraries hold by themselves.
MOST_PROCESSES_APART = 4
BARE_PROCESS = 20 << 20

# What a question in SQL takes, in a process of its own, beyond what that holds with its engine: to
# load an index of a million series takes 216 MiB.
MOST_OF_SQL = 288 << 20
BARE_SQL = 40 << 20

# What one of them may answer: 32 million samples of 16 bits, or eight pages of a PDF.
LARGEST_ANSWER_APART = 96 << 20

# Documents inside objects, and one picture of a page: scanned letters have some MiB.
LARGEST_PDF = 64 << 20
LARGEST_CDA = 32 << 20
LARGEST_PAGE = 4 << 20

# One text value that is looked at: a report has thousands of bytes.
LARGEST_TEXT = 8 << 20

# Characters of a whole report: the longest dose report met has one million. It is read in pages.
LONGEST_REPORT = 8_000_000

# Rows of an answer: 500 study rows of the standard preset take 150 kB; assistants refuse answers
# that are much longer. An answer of a header has 500 attributes.
MOST_ROWS = 200_000
MOST_ROWS_OF_HEADER = 50_000

# An answer of reports: characters of text, and its tables.
MOST_TEXT_OF_REPORTS = 50_000
MOST_TABLES_OF_REPORTS = 30_000

# Pictures of an answer, one or all pages of a report: as base64 they have a third more, and clients
# take a million in all.
LARGEST_PICTURE = 720_000
MOST_PAGES_AS_PICTURES = 560_000

# Characters of one text in an answer: the words of a report, with their fence.
LONGEST_TEXT_SENT = 60_000

# One message to a client: they take no more than 1 MiB (the Python SDK's, of an event over HTTP) or
# a million (Claude Desktop), and show an error of their own.
LARGEST_MESSAGE = 1_000_000
