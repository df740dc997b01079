"""Where prices come from: one small file per public source, asked together by `feed`.

`bot.domain.quotes` makes one price of what they say.
"""
