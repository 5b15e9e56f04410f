//! Writing artists.

use super::Batch;
use crate::catalog::credits::{Credit, Credits};
use crate::database::DatabaseError;

impl Batch<'_> {
    /// Adds the artists of these credits.
    pub(super) async fn put_artists(
        &mut self,
        credits: &Credits,
        retagged: bool,
    ) -> Result<(), DatabaseError> {
        for credit in &credits.names {
            self.put_artist(credit, retagged).await?;
        }
        Ok(())
    }

    /// Adds the artist. Two spellings that fold alike are one artist; the first stays, unless a retagged song
    /// brings another.
    async fn put_artist(&mut self, credit: &Credit, retagged: bool) -> Result<(), DatabaseError> {
        let artist = &credit.artist;
        if let Some((name, mbid)) = self.artists.get(&artist.id)
            && (!retagged || *name == artist.name.shown)
            && (credit.mbid.is_none() || *mbid == credit.mbid)
        {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO artists (id, name, name_folded, mb_id) VALUES ($1, $2, $3, $4)
             ON CONFLICT (id) DO UPDATE SET
                 name = CASE WHEN $5 THEN excluded.name ELSE artists.name END,
                 mb_id = COALESCE(CASE WHEN $5 THEN excluded.mb_id END, artists.mb_id, excluded.mb_id)
             WHERE (artists.mb_id IS NULL AND excluded.mb_id IS NOT NULL) OR ($5 AND (artists.name <> excluded.name
                 OR (excluded.mb_id IS NOT NULL AND artists.mb_id <> excluded.mb_id)))",
        )
        .bind(artist.id.bytes())
        .bind(&artist.name.shown)
        .bind(&artist.name.folded)
        .bind(credit.mbid.as_ref().map(|id| &id.0[..]))
        .bind(retagged)
        .execute(&mut *self.db)
        .await?;
        self.artists.insert(artist.id, (artist.name.shown.clone(), credit.mbid));
        Ok(())
    }
}
