"""Tiles that were counted joined to passes, and each pass set against what was seen before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from railcount.errors import RailcountError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from railcount.baseline import Comparison
    from railcount.baseline.past import Past
    from railcount.history import History, Neighbourhood, Summary
    from railcount.observation import PassCount
    from railcount.records import TileRecord
    from railcount.sites import Site


class Passes:
    """The passes of one parameter key, as they grow with the tiles."""

    def __init__(self, history: History, *, key: str, site: str | None = None) -> None:
        """``site`` is the one that was named, if any: a site file is known by no name."""
        self._history = history
        self._key = key
        self._named_site = site
        self._sites: dict[str, Site | None] = {}
        self._pasts: dict[tuple[str, bool], Past] = {}

    def join(
        self, where: Neighbourhood, *, key: str | None = None
    ) -> Iterator[tuple[PassCount, Comparison | None]]:
        """Make those passes of a neighbourhood again that have changed; kept, and compared.

        Changed are those with other tiles than before and those with a tile that was recorded since.
        """
        from railcount.observation import group, merge

        key = self._key if key is None else key
        if not self._history.is_unjoined(where, key=key):
            return
        fresh = self._history.fresh(where, key=key)
        made: list[PassCount] = []
        for pass_id, tiles in group(self._history.nearby(where, key=key)):
            contents = {tile.sha256 for tile in tiles}
            # At the edge of the neighbourhood a pass may be cut; it is whole in its own.
            if not any(_is_at(tile, where) for tile in tiles):
                continue
            if contents & fresh or contents != self._history.tiles_of(pass_id, key=key):
                made.append(merge(tiles, id=pass_id))
        n_gone = self._history.regroup([(one, self._day(one)) for one in made], where=where, key=key)
        if key != self._key:
            return
        if n_gone:
            self._pasts.clear()
        for one in made:
            self._remember(one)
        for one in made:
            yield one, self.compare(one)

    def compare(self, one: PassCount | Summary) -> Comparison | None:
        """A pass against the site's published counts and this history's before it, without the list of them;
        None where there is no count, date or known site."""
        site = self._site(one)
        day = self._day(one)
        if site is None or day is None or one.acquired is None or one.railcars is None:
            return None
        past = self._past(site, simulated=one.simulated)
        return past.compare(one.railcars, day=day, baseline=site.baseline)

    def _site(self, one: PassCount | Summary) -> Site | None:
        from railcount import sites

        if one.site is None:
            return None
        if one.site not in self._sites:
            found = None
            for name in (self._named_site, one.site):
                try:
                    found = sites.load(name) if name is not None and found is None else found
                except RailcountError:
                    continue
                if found is not None and found.name != one.site:
                    found = None
            self._sites[one.site] = found
        return self._sites[one.site]

    def _day(self, one: PassCount | Summary) -> date | None:
        """The day at the site; None where the site is not known."""
        site = self._site(one)
        return None if site is None or one.acquired is None else site.local_day(one.acquired)

    def _past(self, site: Site, *, simulated: bool) -> Past:
        from railcount.baseline.past import Past

        wanted = site.name, simulated
        if wanted not in self._pasts:
            known = (*site.observations, *self._history.observations(site, simulated=simulated))
            self._pasts[wanted] = Past(known, zones=site.baseline_zones)
        return self._pasts[wanted]

    def _remember(self, one: PassCount) -> None:
        """Have later comparisons know a pass that was just kept."""
        site = self._site(one)
        if site is not None and (site.name, one.simulated) in self._pasts:
            observed = self._history.observations(site, simulated=one.simulated, pass_id=one.id)
            self._pasts[site.name, one.simulated].put(
                one.id, next((o for o in observed if o.id == one.id), None)
            )


def neighbourhood_of(record: TileRecord) -> Neighbourhood:
    """Where the other tiles of a tile's pass are."""
    from railcount.history import Neighbourhood
    from railcount.observation.grouping import Item

    day = Item(record).day
    return Neighbourhood(None, record.sha256) if day is None else Neighbourhood(day)


def _is_at(tile: TileRecord, where: Neighbourhood) -> bool:
    from railcount.observation.grouping import Item

    return where.day is None or Item(tile).day == where.day
