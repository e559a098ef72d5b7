//! Enums whose values are stored as text.

use std::fmt;

use futures_util::StreamExt;
use sqlx::any::AnyRow;
use sqlx::query::QueryAs;
use sqlx::{Any, AnyConnection, FromRow, IntoArguments};

use crate::error::Result;

/// An enum declared with [`text_enum!`].
pub trait TextEnum: Copy + 'static {
    /// All values, in declaration order.
    const ALL: &'static [Self];

    /// The text that stands for the value in the database and in JSON.
    fn as_str(self) -> &'static str;
}

/// A text that represents no value of the enum, for example because a newer version stored it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownValue {
    /// The name of the enum.
    pub set: &'static str,
    /// The unknown text.
    pub value: String,
}

impl fmt::Display for UnknownValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not a known {}", self.value, self.set)
    }
}

impl std::error::Error for UnknownValue {}

/// Declares an enum and the text that represents each value in the database and in JSON. Replaces
/// `sqlx`'s derive for text enums, which does not support the `Any` driver.
macro_rules! text_enum {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal,)+ }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $vis enum $name { $($(#[$variant_meta])* $variant,)+ }

        #[allow(dead_code)]
        impl $name {
            /// The text that stands for the value in the database and in JSON.
            $vis const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl $crate::infra::db::TextEnum for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            fn as_str(self) -> &'static str {
                Self::as_str(self)
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::infra::db::UnknownValue;

            fn from_str(text: &str) -> ::std::result::Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    other => Err($crate::infra::db::UnknownValue {
                        set: stringify!($name),
                        value: other.to_owned(),
                    }),
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                let text = <String as ::serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(::serde::de::Error::custom)
            }
        }

        impl ::sqlx::Type<::sqlx::Any> for $name {
            fn type_info() -> <::sqlx::Any as ::sqlx::Database>::TypeInfo {
                <str as ::sqlx::Type<::sqlx::Any>>::type_info()
            }
        }

        impl ::sqlx::Encode<'_, ::sqlx::Any> for $name {
            fn encode_by_ref(
                &self,
                buffer: &mut <::sqlx::Any as ::sqlx::Database>::ArgumentBuffer,
            ) -> ::std::result::Result<::sqlx::encode::IsNull, ::sqlx::error::BoxDynError> {
                <&str as ::sqlx::Encode<'_, ::sqlx::Any>>::encode(self.as_str(), buffer)
            }
        }

        impl<'r> ::sqlx::Decode<'r, ::sqlx::Any> for $name {
            fn decode(
                value: <::sqlx::Any as ::sqlx::Database>::ValueRef<'r>,
            ) -> ::std::result::Result<Self, ::sqlx::error::BoxDynError> {
                Ok(<&str as ::sqlx::Decode<'r, ::sqlx::Any>>::decode(value)?.parse()?)
            }
        }
    };
}

pub(crate) use text_enum;

/// Returns the decoding error for a column that contains an unknown value. Needed only for rows
/// that are not read with a derived `FromRow`.
pub fn unknown_in_column(column: &str, unknown: UnknownValue) -> sqlx::Error {
    sqlx::Error::ColumnDecode {
        index: column.into(),
        source: Box::new(unknown),
    }
}

/// Query methods that skip rows with unknown values.
pub trait FetchKnown<T> {
    /// Returns the rows that this version can read. Logs and skips a row with an [`UnknownValue`];
    /// any other error fails the query.
    fn fetch_known(
        self,
        connection: &mut AnyConnection,
    ) -> impl Future<Output = Result<Vec<T>>> + Send;

    /// Like [`Self::fetch_known`], but also returns the number of skipped rows.
    fn fetch_known_and_count_unknown(
        self,
        connection: &mut AnyConnection,
    ) -> impl Future<Output = Result<(Vec<T>, usize)>> + Send;
}

impl<T, A> FetchKnown<T> for QueryAs<'_, Any, T, A>
where
    A: IntoArguments<Any> + Send,
    T: Send + Unpin + for<'r> FromRow<'r, AnyRow>,
{
    async fn fetch_known(self, connection: &mut AnyConnection) -> Result<Vec<T>> {
        Ok(self.fetch_known_and_count_unknown(connection).await?.0)
    }

    async fn fetch_known_and_count_unknown(
        self,
        connection: &mut AnyConnection,
    ) -> Result<(Vec<T>, usize)> {
        let mut rows = self.fetch(connection);
        let (mut known, mut unknown) = (Vec::new(), 0);
        while let Some(row) = rows.next().await {
            match row {
                Ok(row) => known.push(row),
                Err(sqlx::Error::ColumnDecode { index, source }) if source.is::<UnknownValue>() => {
                    unknown += 1;
                    tracing::warn!(column = index, %source, "skipped a database row with an unknown value");
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok((known, unknown))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infra::db::Db;

    text_enum! {
        enum Light {
            Red = "red",
            DeepGreen = "deep_green",
        }
    }

    #[derive(Debug, PartialEq, FromRow)]
    struct Lamp {
        id: i64,
        light: Light,
        before: Option<Light>,
    }

    #[test]
    fn text_enum_value_converts_to_its_text_and_back() {
        assert_eq!(Light::ALL, [Light::Red, Light::DeepGreen]);
        for light in Light::ALL {
            assert_eq!(light.as_str().parse(), Ok(*light));
            assert_eq!(light.to_string(), light.as_str());
        }
        assert_eq!(
            "blue".parse::<Light>().map_err(|error| error.to_string()),
            Err("\"blue\" is not a known Light".to_owned())
        );
    }

    #[test]
    fn text_enum_value_is_serialized_as_its_text() -> Result<(), serde_json::Error> {
        assert_eq!(serde_json::to_string(&Light::DeepGreen)?, "\"deep_green\"");
        assert_eq!(serde_json::from_str::<Light>("\"red\"")?, Light::Red);
        assert!(serde_json::from_str::<Light>("\"blue\"").is_err());
        Ok(())
    }

    #[actix_web::test]
    async fn list_query_skips_rows_with_unknown_enum_values() -> Result<()> {
        let folder = tempfile::tempdir().map_err(crate::error::Error::internal)?;
        let db = Db::open(&format!(
            "sqlite://{}?mode=rwc",
            folder.path().join("test.db").display()
        ))
        .await?;
        let mut tx = db.begin().await?;
        sqlx::query("CREATE TABLE lamps (id BIGINT, light TEXT, before TEXT)")
            .execute(&mut *tx)
            .await?;
        let insert = "INSERT INTO lamps (id, light, before) VALUES ($1, $2, $3)";
        for (id, light, before) in [
            (1, Light::Red, None),
            (2, Light::DeepGreen, Some(Light::Red)),
        ] {
            sqlx::query(insert)
                .bind(id)
                .bind(light)
                .bind(before)
                .execute(&mut *tx)
                .await?;
        }
        sqlx::query(insert)
            .bind(3)
            .bind("blue")
            .bind("red")
            .execute(&mut *tx)
            .await?;
        let all = "SELECT id, light, before FROM lamps ORDER BY id";
        let lamps: Vec<Lamp> = sqlx::query_as(all).fetch_known(&mut tx).await?;
        assert_eq!(
            lamps,
            [
                Lamp {
                    id: 1,
                    light: Light::Red,
                    before: None
                },
                Lamp {
                    id: 2,
                    light: Light::DeepGreen,
                    before: Some(Light::Red)
                },
            ]
        );
        assert!(
            sqlx::query_as::<_, Lamp>(all)
                .fetch_all(&mut *tx)
                .await
                .is_err()
        );
        let broken = "SELECT 'text' AS id, light, before FROM lamps WHERE id < 3";
        let broken: Result<Vec<Lamp>> = sqlx::query_as(broken).fetch_known(&mut tx).await;
        assert!(broken.is_err());
        Ok(())
    }
}
