//! tmp
#[derive(Debug,Clone,Copy)] pub enum Format {Parquet, Csv}
impl Format { pub fn from_word(w:&str)->Option<Self>{ match w {"parquet"=>Some(Self::Parquet),"csv"=>Some(Self::Csv),_=>None} } }
